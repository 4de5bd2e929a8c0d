"""Whether a service should get work (ready: fails fast) and whether it should be restarted (live: fails slow)."""

import dataclasses


@dataclasses.dataclass(slots=True)
class Health:
    """
    Conditions that must all hold before a service is ready.

    A condition is named when it is declared and fails until it is ``fulfil``led; ``fail`` takes it back.
    """

    _failing: dict[str, str] = dataclasses.field(default_factory=dict)

    def fail(self, condition: str, why: str) -> None:
        """Say that ``condition`` does not hold, and why."""
        self._failing[condition] = why

    def fulfil(self, condition: str) -> None:
        """Say that ``condition`` holds."""
        self._failing.pop(condition, None)

    @property
    def is_ready(self) -> bool:
        """Whether every condition holds."""
        return not self._failing

    @property
    def failing(self) -> dict[str, str]:
        """The conditions that do not hold, each with the reason."""
        return dict(self._failing)

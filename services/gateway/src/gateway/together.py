"""Waiting for several at once, without a task. Pure."""

from collections.abc import Callable


class Together:
    """
    Passes on what several tell, once all have.

    Args:
        count: Of those who will; at least one.
        tell: Called with the sum of what each told.
    """

    def __init__(self, count: int, tell: Callable[[int], object]) -> None:
        self._missing = count
        self._tell = tell
        self._sum = 0

    def __call__(self, told: int) -> None:
        self._missing -= 1
        self._sum += told
        if self._missing == 0:
            self._tell(self._sum)

"""``reportcast up``: how the standalone server is started; it reads its settings from the environment."""

from typing import Any

from typer.core import TyperCommand


class UpCommand(TyperCommand):
    """A command whose help ends with the settings; they are looked up when it is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        super().format_help(ctx, formatter)
        formatter.write(f"\nsettings (environment variables):\n{_settings()}\n")


def _settings() -> str:
    from reportcast.service.settings import describe_settings
    from standalone.up import StandaloneSettings

    return describe_settings(StandaloneSettings)


def run() -> int:
    """Serve until a signal; give the exit code."""
    from reportcast.service.process import in_event_loop, run_service
    from standalone.up import StandaloneSettings, serve

    return run_service("reportcast up", StandaloneSettings, in_event_loop(serve))

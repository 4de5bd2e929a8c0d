"""Structured logs: pretty on a terminal, JSON elsewhere, with the libraries' own records in the same form."""

import logging
import sys
from typing import Any, Literal, cast

import structlog

LogFormat = Literal["console", "json"]


def configure_logs(level: str, log_format: LogFormat | None, service: str) -> None:
    """
    Send all logs to standard error.

    Args:
        level: Lowest level shown: ``debug``, ``info``, ``warning`` or ``error``.
        log_format: ``None`` chooses by whether standard error is a terminal.
        service: Bound to every line.
    """
    console = log_format == "console" or (log_format is None and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    output = logging.StreamHandler()
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(level.upper())
    # The library's INFO is a line for every connection; ours says the same with more in it.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # It tells every header, and so every token, at debug.
    logging.getLogger("websockets").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)


class _Hushed(structlog.stdlib.BoundLogger):
    def info(self, event: str | None = None, *args: Any, **facts: Any) -> Any:
        return self.debug(event, *args, **facts)

    def warning(self, event: str | None = None, *args: Any, **facts: Any) -> Any:
        return self.debug(event, *args, **facts)


def get_hushed_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give a logger for what is told of elsewhere: it says for debugging what another says as a warning or less."""
    hushed = structlog.wrap_logger(None, wrapper_class=_Hushed, logger_factory_args=(name,))
    return cast(structlog.stdlib.BoundLogger, hushed)

"""
Settings from the environment: checked once at the start, then frozen.

Each field of a ``Settings`` is the environment variable of the same name in capitals; its description is what
``--help`` prints. A field marked ``SECRET`` can also be given as ``<NAME>_FILE``, a path that holds it. Lists are
comma-separated.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from reportcast.broker.redis_url import parse_redis_url
from reportcast.telemetry.logs import LogFormat

SECRET = "secret"  # noqa: S105 - a marker, no secret

S = TypeVar("S", bound="Settings")

# What Kubernetes puts into every pod for a service of the same name; never meant for us.
_SERVICE_LINK = re.compile(r".+_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP)(_.+)?)")


class SettingsError(Exception):
    """A setting that cannot be used; ``str()`` says which, and what is allowed."""


def _split(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """
    What every service can be told.

    Attributes:
        prefixes: Variables that begin so belong to the service: an unknown one among them is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    prefixes: ClassVar[tuple[str, ...]] = ()

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="lowest level logged"
    )
    log_format: LogFormat | None = Field(None, description="console or json; console on a terminal, else json")


class RedisSettings(Settings):
    """Where Redis is."""

    redis_url: Annotated[str, SECRET] = Field(
        "redis://127.0.0.1:6379/0", description="Redis; also rediss://, unix://, redis+sentinel://, redis+cluster://"
    )

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        parse_redis_url(url)
        return url


def load_settings(kind: type[S], environ: Mapping[str, str]) -> S:
    """
    Read and check the settings of one service.

    Raises:
        SettingsError: At the first that is unknown or cannot be used.
    """
    fields = {name.upper(): field for name, field in kind.model_fields.items()}
    _refuse_unknown(kind, fields, environ)
    values = {name.lower(): value for name in fields if (value := _value(name, fields[name], environ)) is not None}
    try:
        return kind.model_validate(values)
    except ValidationError as exc:
        raise SettingsError(_sentence(exc, fields, environ)) from exc


def _sentence(exc: ValidationError, fields: Mapping[str, FieldInfo], environ: Mapping[str, str]) -> str:
    error = exc.errors()[0]
    what = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # several settings that do not go together; the sentence names them
        return what
    name = str(error["loc"][0]).upper()
    shown = "" if _is_secret(fields[name]) else f" is {environ.get(name, '')!r}"
    return f"{name}{shown}: {what[0].lower()}{what[1:]}"


def describe_settings(kind: type[Settings]) -> str:
    """List the settings, one a line, with defaults and meaning."""
    lines = []
    width = max(map(len, kind.model_fields)) + 2
    for name, field in kind.model_fields.items():
        default = "unset" if field.default in (None, (), {}) else field.default
        default = ",".join(default) if isinstance(default, tuple) else default
        file = f" (or {name.upper()}_FILE)" if _is_secret(field) else ""
        lines.append(f"  {name.upper():<{width}}{field.description}{file} [{default}]")
    return "\n".join(lines)


def _is_secret(field: FieldInfo) -> bool:
    return SECRET in field.metadata


def _value(name: str, field: FieldInfo, environ: Mapping[str, str]) -> str | None:
    value = environ.get(name)
    if value and not (name.endswith("_PORT") and value.startswith("tcp://")):
        return value
    path = environ.get(f"{name}_FILE") if _is_secret(field) else None
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{name}_FILE is {path!r}: {getattr(exc, 'strerror', None) or exc}") from exc


def _refuse_unknown(kind: type[Settings], fields: Mapping[str, FieldInfo], environ: Mapping[str, str]) -> None:
    known = set(fields) | {f"{name}_FILE" for name, field in fields.items() if _is_secret(field)}
    for name in sorted(environ):
        if name.startswith(kind.prefixes) and name not in known and not _SERVICE_LINK.fullmatch(name):
            similar = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {similar[0]}" if similar else "--help lists those that are"
            raise SettingsError(f"{name} is not a setting; {hint}")

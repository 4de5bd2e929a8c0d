"""
Where Redis is, as ``REDIS_URL`` says it: one server, or those that Sentinels or a cluster know of.

Source: docs/operations.md, Redis.
"""

import dataclasses
import enum
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote

REDIS_PORT = 6379
SENTINEL_PORT = 26379

EXPECTED = (
    "redis://user:password@host:port/db, unix:///path, redis+sentinel://user:password@host:port,host:port/master/db or "
    "redis+cluster://user:password@host:port,host:port (with TLS rediss…), special characters as %xx"
)

# Files, and of TLS alone.
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHECK_HOSTNAME = "ssl_check_hostname"
_TLS_OPTIONS = (*_TLS_FILES, _CHECK_HOSTNAME)
# Sentinels have a user of their own, or none.
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")

_LABEL = r"[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"
_NODE = rf"(?:\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*)(?::[1-9][0-9]{{0,4}})?"
_URL = re.compile(
    r"(?P<scheme>redis(?P<tls>s)?(?:\+(?P<form>sentinel|cluster))?)://(?:(?P<user>[^@/?#\s]*)@)?"
    rf"(?P<nodes>{_NODE}(?:,{_NODE})*)(?P<path>(?:/[0-9A-Za-z._-]*){{0,2}})(?:\?(?P<options>[^\s]*))?"
)
_UNIX_URL = re.compile(r"(?P<scheme>unix)://(?:(?P<user>[^@/?#\s]*)@)?(?P<path>/[^?#%]+)")


class Form(enum.Enum):
    """Who knows where a key is."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


Address = tuple[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class RedisUrl:
    """
    What a URL says; as text it is the URL without credentials and options, fit for a log.

    Attributes:
        form: Of what is there.
        shown: The text.
        nodes: The server, the Sentinels, or some of the cluster's servers; empty with a socket.
        socket: Path of a Unix socket.
        has_tls: Whether all of them are spoken to by TLS.
        username: ``None`` for Redis' default one.
        password: Of the servers.
        master: Its name among the Sentinels.
        database: Number of the database.
        tls: The client library's options of TLS.
        sentinel_username: Of the Sentinels.
        sentinel_password: Of the Sentinels.
    """

    form: Form
    shown: str
    nodes: tuple[Address, ...] = ()
    socket: str | None = None
    has_tls: bool = False
    username: str | None = dataclasses.field(default=None, repr=False)
    password: str | None = dataclasses.field(default=None, repr=False)
    master: str = ""
    database: int = 0
    tls: tuple[tuple[str, str | bool], ...] = ()
    sentinel_username: str | None = dataclasses.field(default=None, repr=False)
    sentinel_password: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        return self.shown


def parse_redis_url(url: str) -> RedisUrl:
    """
    Read a URL.

    Raises:
        ValueError: If it is none. Nothing of it is told: in a wrong one, any part may be the password.
    """
    if found := _UNIX_URL.fullmatch(url):
        username, password = _credentials(found["user"])
        path = found["path"]
        return RedisUrl(Form.SERVER, f"unix://{path}", socket=path, username=username, password=password)
    found = _URL.fullmatch(url)
    if not found:
        raise ValueError(f"expected {EXPECTED}")
    form = Form(found["form"] or "server")
    nodes = tuple(_address(node, form) for node in found["nodes"].split(","))
    if form is Form.SERVER and len(nodes) > 1:
        raise ValueError("several servers are a cluster, redis+cluster://, or Sentinels, redis+sentinel://")
    username, password = _credentials(found["user"])
    master, database = _master_and_database(form, found["path"])
    options = _options(found["options"] or "", form, has_tls=bool(found["tls"]))
    return RedisUrl(
        form=form,
        shown=f"{found['scheme']}://{found['nodes']}{found['path']}",
        nodes=nodes,
        has_tls=bool(found["tls"]),
        username=username,
        password=password,
        master=master,
        database=database,
        tls=tuple((name, _tls_option(name, value)) for name, value in options.items() if name in _TLS_OPTIONS),
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
    )


def _credentials(user: str | None) -> tuple[str | None, str | None]:
    username, _, password = (user or "").partition(":")
    return unquote(username) or None, unquote(password) or None


def _address(node: str, form: Form) -> Address:
    host, port = node, ""
    if not node.endswith("]"):
        host, _, port = node.rpartition(":") if ":" in node else (node, "", "")
    if port and int(port) > 65535:
        raise ValueError(f"expected {EXPECTED}; a port is at most 65535")
    default = SENTINEL_PORT if form is Form.SENTINEL else REDIS_PORT
    return host.strip("[]"), int(port) if port else default


def _master_and_database(form: Form, path: str) -> tuple[str, int]:
    parts = path.strip("/").split("/")
    master = parts.pop(0) if form is Form.SENTINEL else ""
    if form is Form.SENTINEL and not master:
        raise ValueError("with redis+sentinel:// the name of the master has to follow the hosts, as in /mymaster/0")
    database = parts.pop(0) if parts else ""
    if parts or not re.fullmatch("[0-9]{0,4}", database):
        raise ValueError(f"expected {EXPECTED}")
    if form is Form.CLUSTER and int(database or 0):
        raise ValueError("a cluster has no database but 0")
    return master, int(database or 0)


def _options(query: str, form: Form, has_tls: bool) -> dict[str, str]:
    allowed = (*_TLS_OPTIONS, *_SENTINEL_OPTIONS) if form is Form.SENTINEL else _TLS_OPTIONS
    options = dict(parse_qsl(query, keep_blank_values=True))
    if any(name not in allowed for name in options):
        raise ValueError(f"after ? only these are allowed: {', '.join(allowed)}")
    if not has_tls and any(name in _TLS_OPTIONS for name in options):
        raise ValueError("options of TLS after ? are allowed with rediss… alone")
    for name in _TLS_FILES:
        if name in options and not Path(options[name]).is_file():
            raise ValueError(f"{name} names no file that can be read")
    if options.get(_CHECK_HOSTNAME, "true") not in ("true", "false"):
        raise ValueError(f"{_CHECK_HOSTNAME} is true or false")
    return options


def _tls_option(name: str, value: str) -> str | bool:
    return value == "true" if name == _CHECK_HOSTNAME else value

"""
Reportcast and its peers: what has to be there for each, and how each is started.

What is not there is installed: packages of PyPI and npm at pinned versions below ~/.cache, nginx by apt where this is
root. A peer that cannot be had is named with its reason.
"""

import contextlib
import dataclasses
import functools
import importlib.metadata
import os
import pwd
import shutil
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from bench.fanout.commands import run
from bench.fanout.debian import install
from bench.fanout.programs import compile_floor
from bench.fanout.servers import PLAIN, SOCKETIO, Command, Endpoints, Server, running_gateway, running_program
from bench.watching.peers import CACHE, PeerError

PROGRAMS = Path(__file__).with_name("peer_programs")
SOCKETIO_PACKAGES = ("python-socketio==5.18.1", "python-engineio==4.15.1")
WS = "8.23.0"
NCHAN_MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
DEBIAN_PACKAGES = ("nginx", "libnginx-mod-nchan")
# Each connection of nginx takes one; the hard limit of a plain machine is higher.
DESCRIPTORS = 20_000

# Starts a server in a folder of its own, on these cores; the last says whether clients offer compression.
Start = Callable[[Path, set[int], bool], contextlib.AbstractContextManager[Server]]


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """
    One of those that are compared.

    Attributes:
        name: As results have it.
        start: Starts it.
        may_skip: Whether it is its design to let a slow client skip to the newest event.
        compresses: Whether it does where clients offer it.
    """

    name: str
    start: Start
    may_skip: bool = False
    compresses: bool = True


def set_up(keys: Iterable[str], folder: Path) -> tuple[dict[str, Peer], dict[str, str]]:
    """
    Make ready what can be had, and start each once.

    Args:
        keys: Of SET_UPS.
        folder: For compiled programs; has to last.

    Returns:
        The peers by key, and for the others the reason.
    """
    peers, reasons = {}, {}
    for key in keys:
        try:
            peers[key] = _tried(SET_UPS[key](folder))
        except (PeerError, AssertionError, OSError, subprocess.SubprocessError) as exc:
            reasons[key] = str(exc)
    return peers, reasons


def _tried(peer: Peer) -> Peer:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="reportcast-bench-"))
        stack.enter_context(peer.start(Path(folder), os.sched_getaffinity(0), False))
    return peer


def peer_versions(keys: Collection[str]) -> dict[str, str]:
    """Name the versions of what takes part, besides what is installed with the gateway."""
    found: dict[str, str] = {}
    if "socketio" in keys:
        found |= dict(package.split("==") for package in SOCKETIO_PACKAGES)
    if "ws" in keys:
        found |= {"ws": WS, "node": run("node", "--version")}
    if "nchan" in keys:
        found |= {"nchan": run("dpkg-query", "--showformat", "${Version}", "--show", DEBIAN_PACKAGES[1])}
    if "fastapi" in keys:
        found |= {"fastapi": importlib.metadata.version("fastapi"), "uvloop": importlib.metadata.version("uvloop")}
    return found


def _program(name: str, command: Command, endpoints: Endpoints = PLAIN, compresses: bool = True) -> Peer:
    return Peer(name, functools.partial(running_program, command, endpoints), compresses=compresses)


def _gateway(folder: Path) -> Peer:
    return Peer("Reportcast", running_gateway, may_skip=True)


def _floor(folder: Path) -> Peer:
    program = str(compile_floor(folder))
    return _program("C send() loop", lambda port, *_: [program, str(port)], compresses=False)


def _joining_floor(folder: Path) -> Peer:
    program = str(compile_floor(folder))
    return _program("C, frames joined", lambda port, *_: [program, str(port), "--join"], compresses=False)


def _fastapi(folder: Path) -> Peer:
    return _program("FastAPI pattern", lambda port, *_: _python("fastapi_manager.py", port))


def _websockets(folder: Path) -> Peer:
    return _program("websockets", lambda port, *_: _python("websockets_broadcast.py", port))


def _socketio(folder: Path) -> Peer:
    packages = CACHE / "-".join(SOCKETIO_PACKAGES)
    if not (packages / "socketio").is_dir():
        run(sys.executable, "-m", "pip", "--quiet", "install", "--target", str(packages), *SOCKETIO_PACKAGES)
    path = ["env", f"PYTHONPATH={packages}"]
    return _program("python-socketio", lambda port, *_: [*path, *_python("socketio_emit.py", port)], SOCKETIO)


def _ws(folder: Path) -> Peer:
    node = CACHE / f"ws-{WS}"
    if not (node / "node_modules" / "ws").is_dir():
        node.mkdir(parents=True, exist_ok=True)
        run("npm", "install", "--prefix", str(node), "--no-audit", "--no-fund", f"ws@{WS}")
    program = node / "ws_broadcast.mjs"  # Node looks for packages beside the program
    program.write_bytes((PROGRAMS / program.name).read_bytes())

    def command(port: int, folder: Path, deflates: bool) -> list[str]:
        return ["node", str(program), str(port), *["--deflate"] * deflates]

    return _program("Node ws", command)


def _nchan(folder: Path) -> Peer:
    if not NCHAN_MODULE.exists() or not shutil.which("nginx"):
        install(DEBIAN_PACKAGES)
    template = string.Template((PROGRAMS / "nginx.conf").read_text())

    def command(port: int, folder: Path, deflates: bool) -> list[str]:
        configuration = folder / "nginx.conf"
        configuration.write_text(template.substitute(nginx_settings(port, folder, deflates)))
        return ["nginx", "-p", "/usr/lib/nginx/", "-c", str(configuration), "-e", str(folder / "nginx.log")]

    return _program("Nchan", command)


def nginx_settings(port: int, folder: Path, deflates: bool) -> Mapping[str, str | int]:
    """Give what nginx.conf leaves open."""
    user = pwd.getpwuid(os.getuid()).pw_name
    deflate = "on" if deflates else "off"
    return {"user": user, "port": port, "folder": str(folder), "descriptors": DESCRIPTORS, "deflate": deflate}


def _python(program: str, port: int) -> list[str]:
    return [sys.executable, str(PROGRAMS / program), str(port)]


SET_UPS: Mapping[str, Callable[[Path], Peer]] = {
    "floor": _floor,
    "joined": _joining_floor,
    "reportcast": _gateway,
    "nchan": _nchan,
    "ws": _ws,
    "websockets": _websockets,
    "fastapi": _fastapi,
    "socketio": _socketio,
}

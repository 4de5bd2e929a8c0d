"""
Peers: what else watches a file, set up outside the checkout at pinned versions, in the same way of being measured.

They read, parse and say so; the watcher also proves the report valid, compares it with the last, and has Redis store
and publish it before its clock stops.
"""

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.watching.heard import Heard, listening

CACHE = Path.home() / ".cache" / "reportcast-bench"
PROGRAMS = Path(__file__).with_name("peer_programs")
# The last chokidar that Node 20 runs with all of its old options, and the watchfiles that the watcher once stood on.
CHOKIDAR, WATCHFILES = "4.0.3", "1.3.0"
# What the server that was replaced waits for.
STABILITY_MS = 500


class PeerError(Exception):
    """A peer cannot be set up, or does not start; ``str()`` says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """
    One of them.

    Attributes:
        name: As results have it.
        command: What runs it; the report's path goes after the first ``program``.
        pace_s: Between changes: one that waits on purpose has to be given the time.
    """

    name: str
    program: Sequence[str]
    options: Sequence[str] = ()
    pace_s: float | None = None


def set_up(cache: Path = CACHE) -> list[Peer]:
    """
    Install what is not there yet.

    Raises:
        PeerError: If npm or pip cannot.
    """
    cache.mkdir(parents=True, exist_ok=True)
    node, venv = cache / f"chokidar-{CHOKIDAR}", cache / f"watchfiles-{WATCHFILES}"
    if not (node / "node_modules" / "chokidar").is_dir():
        node.mkdir(exist_ok=True)
        _run("npm", "install", "--prefix", str(node), "--no-audit", "--no-fund", f"chokidar@{CHOKIDAR}")
    if not (venv / "bin" / "watchfiles").is_file():
        _run(sys.executable, "-m", "venv", str(venv))
        _run(str(venv / "bin" / "python"), "-m", "pip", "--quiet", "install", f"watchfiles=={WATCHFILES}")
    program = node / "chokidar_loop.mjs"  # Node looks for packages beside the program
    program.write_bytes((PROGRAMS / program.name).read_bytes())
    chokidar = ("node", str(program))
    loop = (str(venv / "bin" / "python"), str(PROGRAMS / "watchfiles_loop.py"))
    return [
        Peer("chokidar", chokidar),
        Peer(f"chokidar, {STABILITY_MS} ms stable", chokidar, (str(STABILITY_MS),), pace_s=1.5),
        Peer("watchfiles", loop),
    ]


@contextlib.contextmanager
def running_peer(peer: Peer, report: Path) -> Iterator[Heard]:
    """Run a peer on ``report`` until the end of the block; it watches by then."""
    command = [*peer.program, str(report), *peer.options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        if b"ready" not in process.stdout.readline():
            raise PeerError(f"{peer.name} did not start: {' '.join(command)}")
        with listening(process.stdout) as heard:
            try:
                yield heard
            finally:
                process.terminate()


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as exc:
        raise PeerError(f"{command[0]} is not here; it is needed for the peers") from exc
    except subprocess.CalledProcessError as exc:
        raise PeerError(f"{' '.join(command)} failed: {exc.stderr.strip()[-400:]}") from exc

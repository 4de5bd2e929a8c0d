"""The producer: a report of which each change has a number that is to be seen in a row of the page."""

import contextlib
import datetime
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.services import System, running_system
from bench.writer import NOON

STATES = ("clean", "dirty")
# Coprime to every number of repositories that is used: each of them has its turn.
STRIDE = 7919


class Lab:
    """
    Changes one repository of a report at a time.

    Attributes:
        change: Number of the last change; 0 before the first.
        bytes: Of the report.
        written_ms: When each change was put in place, just before: ms since 1970, by its number.

    Args:
        path: The file.
        size: How many repositories there are.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.change = self.bytes = 0
        self.written_ms: dict[int, float] = {}
        self._path = path
        self._states = [0] * size
        self._rows = [_row(nth, 0, 0) for nth in range(size)]
        self.write()

    def write(self) -> None:
        """Change the next repository."""
        nth = self.change * STRIDE % len(self._rows)
        self._states[nth] = 1 - self._states[nth]
        self._rows[nth] = _row(nth, self._states[nth], self.change)
        dirty = sum(self._states)
        total = len(self._rows)
        moment = NOON + datetime.timedelta(seconds=self.change)
        content = (
            f'{{"timestamp":"{moment:%Y-%m-%dT%H:%M:%SZ}",'
            f'"health_status":"yellow","summary":{{"total":{total},"missing":0,"extra":0,"dirty":{dirty},'
            f'"clean":{total - dirty}}},"repos":[\n{_JOIN.join(self._rows)}\n]}}\n'
        )
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        temporary.write_text(content)
        self.bytes = len(content)
        # The page has no other clock in common with this process.
        self.written_ms[self.change] = time.time_ns() / 1e6
        os.replace(temporary, self._path)
        self.change += 1


_JOIN = ",\n"


@contextlib.contextmanager
def running_lab(repos: int) -> Iterator[tuple[Lab, System]]:
    """Run a watcher and a gateway with Redis that show a lab's report, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-") as folder:
        report = Path(folder) / "reports" / "GitRepoReport.json"
        report.parent.mkdir()
        lab = Lab(report, repos)
        with running_system(report, Path(folder)) as system:
            yield lab, system


def _row(nth: int, state: int, change: int) -> str:
    name = f"homelab-service-{nth:05}"
    return (
        f'{{"name":"{name}","status":"{STATES[state]}","local_path":"/srv/git/{name}",'
        f'"clone_url":"https://git.example/homelab/{name}.git","last_commit":"change {change:06}"}}'
    )

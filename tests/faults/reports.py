"""A report that changes as real ones do: mostly one repository at a time, now and then a good part, seldom all."""

import json
import os
import random
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import iso_utc, utc_now

STATUSES = ("clean", "dirty", "missing", "extra")
REPOS = 40
REWRITE_EVERY, RENEW_EVERY = 8, 25


class Reports:
    """
    Writes one report again and again.

    Attributes:
        change: Number of the last change; the report says it, too.
        body: What the file holds.

    Args:
        path: The file.
        chance: Which repositories change.
        all_of_it: Whether every change is of everything, so that none can be told as a delta.
    """

    def __init__(self, path: Path, chance: random.Random, all_of_it: bool = False) -> None:
        self.change = 0
        self.body = b""
        self._path = path
        self._chance = chance
        self._renew_every = 1 if all_of_it else RENEW_EVERY
        self._repos = [self._repo(f"repo-{number:03}") for number in range(REPOS)]

    def write(self) -> None:
        """Make the next change: a temporary file, renamed."""
        self.change += 1
        if self.change % self._renew_every == 0:
            self._repos = [self._repo(f"new-{self.change}-{number:03}") for number in range(REPOS)]
        elif self.change % REWRITE_EVERY == 0:
            self._rewrite()
        else:
            self._touch(self._chance.choice(self._repos))
        self.body = json.dumps(self._report(), indent=2).encode()
        temporary = self._path.with_name(".report.tmp")
        temporary.write_bytes(self.body)
        os.replace(temporary, self._path)

    def _report(self) -> dict[str, Any]:
        states = [repo["status"] for repo in self._repos]
        return {
            "change": self.change,
            "timestamp": iso_utc(utc_now()),
            "health_status": "yellow",
            "summary": {"total": len(states), **{status: states.count(status) for status in STATUSES}},
            "repos": self._repos,
        }

    def _rewrite(self) -> None:
        for repo in self._chance.sample(self._repos, REPOS // 8):
            self._touch(repo)
        self._repos.remove(self._chance.choice(self._repos))
        self._repos.insert(0, self._repos.pop())
        self._repos.insert(self._chance.randrange(REPOS), self._repo(f"added-{self.change}"))

    def _touch(self, repo: dict[str, Any]) -> None:
        others = [status for status in STATUSES if status != repo["status"]]
        repo["status"] = self._chance.choice(others)

    def _repo(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "status": "clean",
            "local_path": f"/srv/git/{name}",
            "remote_url": f"https://git.example/homelab/{name}.git",
            "last_commit": f"{self._chance.getrandbits(160):040x}",
        }

"""What the watched file has in the browser tests: a small audit of a home lab, written as it happens."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

# What a report says of a repository in that state besides its name.
FIELDS: dict[str, dict[str, Any]] = {
    "dirty": {"uncommittedChanges": True, "mitigation": "git add -A && git commit"},
    "missing": {"mitigation": "git clone"},
}
STATES = ("clean", "clean", "clean", "dirty", "clean", "missing", "clean", "extra", "clean", "mismatched", "archived")
NAMES = ("nas-backup", "router", "blog", "dns", "homelab-gitops", "ansible", "monitoring", "media", "photos", "wiki")
_seconds = count()


def repo(name: str, state: str = "clean", **fields: Any) -> dict[str, Any]:
    """Give a repository as a report has it."""
    where = {"local_path": f"/srv/git/{name}", "clone_url": f"https://git.example/homelab/{name}.git"}
    return {"name": name, "status": state, **where, **FIELDS.get(state, {}), **fields}


def write(path: Path, states: Mapping[str, str], **fields: Any) -> None:
    """Replace the file by a report of repositories in these states; ``fields`` are more of the report's."""
    write_repos(path, [repo(name, state) for name, state in states.items()], **fields)


def write_repos(path: Path, repos: list[dict[str, Any]], **fields: Any) -> None:
    """Replace the file by a report of these repositories."""
    counts = Counter(each["status"] for each in repos)
    # A report is kept by the name that its second gives it: no two may have the same.
    moment = utc_now() + timedelta(seconds=next(_seconds) - 300)
    content = {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "health_status": "green" if counts["clean"] == len(repos) else "yellow",
        "summary": {"total": len(repos), **{each: counts[each] for each in ("missing", "extra", "dirty", "clean")}},
        "repos": repos,
        **fields,
    }
    write_bytes(path, json.dumps(content, indent=2).encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Put this in the file's place, whole."""
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def homelab(change: int, size: int = 44) -> list[dict[str, Any]]:
    """Give the repositories of a home lab; each change moves some of them from state to state."""
    repos = []
    for nth in range(size):
        name = f"{NAMES[nth % len(NAMES)]}-{nth // len(NAMES)}"
        state = STATES[(nth * 7 + (change if nth % 5 == 3 else 0)) % len(STATES)]
        repos.append(repo(name, state, last_commit=f"2026-11-{1 + nth % 27:02}T08:00:00Z"))
    return repos

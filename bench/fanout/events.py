"""What is published: JSON reports of an exact size, each with a number near its beginning. Pure."""

import functools
import hashlib
import json

# One repository takes about this much.
REPO_BYTES = 225


def event_of(number: int, size: int) -> bytes:
    """
    Give event ``number``, of exactly ``size`` bytes.

    Args:
        number: At least 1; clients look for it.
        size: At least 64.
    """
    head = b'{"change":%d,' % number
    repos, end = _rest(size)
    return head + repos + b"." * (size - len(head) - len(repos) - len(end)) + end


@functools.cache
def _rest(size: int) -> tuple[bytes, bytes]:
    """Give what stands before and after the padding: as much of a report as fits."""
    room = size - len(b'{"change":18446744073709551615,') - len(b'"}')
    count = room // REPO_BYTES + 1
    while len(start := _start(count)) > room:
        count -= 1
    return start, b'"}'


def _start(repos: int) -> bytes:
    fields = {"repos": [_repo(number) for number in range(repos)], "pad": ""}
    return json.dumps(fields, separators=(",", ":")).encode()[1:-2]


def _repo(number: int) -> dict[str, str | bool]:
    """Give a repository's row; it compresses as reports do, to about a seventh."""
    name = f"homelab-service-{number:03}"
    return {
        "name": name,
        "status": "clean",
        "local_path": f"/srv/git/{name}",
        "remote": f"https://git.example/homelab/{name}.git",
        "last_commit": hashlib.sha1(name.encode()).hexdigest(),
        "uncommittedChanges": False,
    }

"""
Keeps reports in a directory until it is killed; prints each name once it is kept.

Arguments: the directory, the number to begin with, and perhaps after how many steps of the first keep to kill itself.
"""

import datetime
import hashlib
import itertools
import json
import os
import signal
import sys
from pathlib import Path

from watcher.history import History

FIRST = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
# When a history is opened: later than every report, or those would count as of the future and be pruned first.
OPENED = FIRST + datetime.timedelta(minutes=50)
MAX_REPORTS = 6
# What the interpreter tells of the calls that change or look at a directory.
STEPS = {"open", "os.listdir", "os.scandir", "os.rename", "os.symlink", "os.remove", "os.utime", "os.mkdir"}


def sealed(number: int) -> bytes:
    """Give a report that carries its own digest."""
    content = f"{number} " * 2000
    return json.dumps({"digest": hashlib.sha256(content.encode()).hexdigest(), "content": content}).encode()


def is_whole(body: bytes) -> bool:
    """Tell whether a report is as it was sealed."""
    fields = json.loads(body)
    return hashlib.sha256(fields["content"].encode()).hexdigest() == str(fields["digest"])


def die_after(steps: int) -> None:
    """Kill this process by SIGKILL after so many steps."""
    count = itertools.count(1)

    def step(event: str, _: object) -> None:
        if event in STEPS and next(count) > steps:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(step)


def main(directory: str, begin: str, steps: str = "") -> None:
    """Keep reports for ever; every third has the name of the one before, every fifth is kept twice."""
    history = History(Path(directory), MAX_REPORTS, 3600)
    history.open(OPENED)
    if steps:
        die_after(int(steps))
    for number in itertools.count(int(begin)):
        stem = number - (number % 3 == 0)
        for _ in range(1 + (number % 5 == 0)):
            name = history.keep(f"r{stem}.json", sealed(number), FIRST + datetime.timedelta(seconds=number))
        sys.stdout.write(f"{number} {name}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""
A peer: Python's watchfiles as one uses it first, reading the report at each batch of events.

    python watchfiles_loop.py REPORT

It watches the directory, which is generous: a watch on the file is deaf after the first rename.
"""

import json
import sys
import time
from pathlib import Path

from watchfiles import watch


def main(path: Path) -> None:
    print(json.dumps({"ready": True}), flush=True)
    for _ in watch(path.parent, recursive=False):
        try:
            change = json.loads(path.read_bytes())["change"]
        except (OSError, ValueError):
            change = None
        print(json.dumps({"at_ns": time.monotonic_ns(), "change": change}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What tests of torture and faults need of the machine: what lacks it is skipped and says why; in CI it fails."""

import os
import shutil
import subprocess
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Skip the test; in CI, where everything has to be there, fail it."""
    if os.environ.get("CI") == "true":  # noqa: TID251 - a setting of the test run, not of a service
        pytest.fail(f"every test of torture and faults must run in CI, but {reason}")
    pytest.skip(reason)


def require(*tools: str) -> None:
    """Go on only if all of these commands are on the PATH."""
    for tool in tools:
        if shutil.which(tool) is None:
            lacking(f"there is no {tool} here")


def require_root(what: str) -> None:
    """Go on only as root."""
    if os.geteuid() != 0:
        lacking(f"{what} takes root")


def mount(*arguments: str) -> None:
    """Mount something; go on only if that works."""
    require_root("mounting")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        lacking(f"nothing can be mounted here: {done.stderr.strip()}")


def unmount(target: object) -> None:
    """Undo ``mount``."""
    subprocess.run(["umount", str(target)], check=True)

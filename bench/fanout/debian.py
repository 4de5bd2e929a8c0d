"""Packages of Debian, for peers that come from there."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.fanout.commands import run
from bench.watching.peers import PeerError

POLICY = Path("/usr/sbin/policy-rc.d")


def install(packages: Sequence[str]) -> None:
    """
    Install packages, and start none of their services.

    Raises:
        PeerError: If this is not root, or apt cannot.
    """
    if os.getuid():
        raise PeerError(f"it is not here, and this is not root; apt-get install {' '.join(packages)}")
    apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    with _services_kept_from_starting():
        run(*apt, "update")
        run(*apt, "install", "--yes", "--no-install-recommends", *packages)


@contextlib.contextmanager
def _services_kept_from_starting() -> Iterator[None]:
    """Keep Debian from starting what it installs (exit code 101); a policy that is there stays."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()

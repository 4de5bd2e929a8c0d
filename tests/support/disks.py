"""Disks that refuse: named faults."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextlib.contextmanager
def small_disk(path: Path, size: str = "64k") -> Iterator[Path]:
    """Give a real file system of that size at ``path``; skips the test unless it runs as root."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    path.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def make_read_only(disk: Path) -> None:
    """Let a small disk refuse every write from now on."""
    _mount("-o", "remount,ro", str(disk))


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Have no privileges for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextlib.contextmanager
def symlinks_refused(code: int = errno.EPERM) -> Iterator[None]:
    """Let the file system have no symlinks, as FAT and CIFS do."""
    with mock.patch.object(os, "symlink", side_effect=OSError(code, os.strerror(code))):
        yield


@contextlib.contextmanager
def directories_not_synced(code: int) -> Iterator[None]:
    """Let the file system refuse to sync a directory, as CIFS does."""
    sync = os.fsync

    def refuse(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(code, os.strerror(code))
        sync(descriptor)

    with mock.patch.object(os, "fsync", refuse):
        yield

"""A network of a test's own, with faults that the kernel makes: nothing outside it is touched."""

import contextlib
import ctypes
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.torture.need import lacking, require, require_root

CLONE_NEWNET = 0x40000000
# Of this thread: the namespace is the thread's, and what it starts is in it.
NAMESPACE = Path("/proc/thread-self/ns/net")
LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """Be, with all that is started and connected in the block, in a network that has a loopback and nothing else."""
    require_root("a network namespace of one's own")
    require("ip", "nft")
    with NAMESPACE.open("rb") as outside:
        if LIBC.unshare(CLONE_NEWNET):
            lacking(f"there can be no network namespace: {os.strerror(ctypes.get_errno())}")
        try:
            _run("ip", "link", "set", "lo", "up")
            yield
        finally:
            if LIBC.setns(outside.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "the test's network cannot be left")


@contextlib.contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Let no packet of a port through, in either direction; nobody is told. Some have to come."""
    with _filtered(f"tcp dport {port}", f"tcp sport {port}"):
        yield


@contextlib.contextmanager
def packet_loss(port: int, percent: int) -> Iterator[str]:
    """
    Lose so many packets, but not none; give what loses them.

    That is netem where the kernel has it, which takes of all packets; else a random drop by nftables, of the port's.
    """
    if not _can("tc", "qdisc", "add", "dev", "lo", "root", "netem", "loss", f"{percent}%"):
        lose = f"numgen random mod 100 < {percent}"
        with _filtered(f"tcp dport {port} {lose}", f"tcp sport {port} {lose}"):
            yield "nftables (no netem in this kernel)"
        return
    try:
        yield "netem"
        _check_dropped(r"dropped (\d+)", _run("tc", "-s", "qdisc", "show", "dev", "lo"))
    finally:
        _run("tc", "qdisc", "del", "dev", "lo", "root")


def small_buffers() -> None:
    """Let sockets that are made from now on take next to nothing; only for a network of one's own."""
    for name in ("tcp_rmem", "tcp_wmem"):
        Path(f"/proc/sys/net/ipv4/{name}").write_text("4096 4096 4096\n")


@contextlib.contextmanager
def _filtered(*packets: str) -> Iterator[None]:
    _run("nft", "add table inet faults")
    _run("nft", "add chain inet faults input { type filter hook input priority 0; }")
    try:
        for each in packets:
            _run("nft", f"add rule inet faults input {each} counter drop")
        yield
        _check_dropped(r"counter packets (\d+)", _run("nft", "list table inet faults"))
    finally:
        _run("nft", "delete table inet faults")


def _check_dropped(count: str, listing: str) -> None:
    assert any(map(int, re.findall(count, listing))), f"no packet was dropped: {listing}"


def _can(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout

"""What the kernel's books say of its own memory. Pure, but for ``Books.read``."""

import dataclasses
import os
import re
from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True)
class Books:
    """
    The kernel's memory on the whole machine, in bytes.

    Attributes:
        slab: Its objects: sockets, files, directory entries, what epoll keeps.
        tcp_buffers: Pages that TCP's send and receive buffers are charged with.
        sockets: TCP sockets there are.
    """

    slab: int
    tcp_buffers: int
    sockets: int

    @classmethod
    def read(cls) -> "Books":
        """Read them now."""
        return books_of(
            Path("/proc/meminfo").read_text(), Path("/proc/net/sockstat").read_text(), os.sysconf("SC_PAGE_SIZE")
        )


def books_of(meminfo: str, sockstat: str, page_bytes: int) -> Books:
    """Read /proc/meminfo and /proc/net/sockstat."""
    slab = re.search(r"^Slab: +(\d+) kB$", meminfo, re.MULTILINE)
    tcp = re.search(r"^TCP: .* alloc (\d+) mem (\d+)$", sockstat, re.MULTILINE)
    assert slab, "the kernel does not tell of its objects"
    assert tcp, "the kernel does not tell of TCP"
    return Books(int(slab[1]) * 1024, int(tcp[2]) * page_bytes, int(tcp[1]))

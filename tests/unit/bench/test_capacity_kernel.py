"""What the kernel tells of memory."""

from bench.capacity.kernel import Books, books_of


def test_the_kernels_books() -> None:
    """Are read in bytes."""
    meminfo = "MemTotal:  1 kB\nSlab:              3 kB\nSReclaimable: 2 kB\n"
    sockstat = "sockets: used 7\nTCP: inuse 4 orphan 0 tw 0 alloc 5 mem 2\nUDP: inuse 0 mem 9\n"

    assert books_of(meminfo, sockstat, 4096) == Books(slab=3072, tcp_buffers=8192, sockets=5)

"""What the kernel knows of a connection."""

import asyncio
import fcntl
import socket
import struct
import termios


def give_up_after(transport: asyncio.Transport, silence_s: float) -> None:
    """Have the kernel end the connection when the other end has not acknowledged what it was sent for so long."""
    connection: socket.socket = transport.get_extra_info("socket")
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(silence_s * 1000))


def unsent_bytes(transport: asyncio.Transport) -> int:
    """
    Tell how much of what was written the other end has not taken yet: in the process, and in the kernel.

    It shrinks whenever the other end takes something, where the transport's own buffer does so in steps of many kB.
    """
    descriptor = transport.get_extra_info("socket").fileno()
    # SIOCOUTQ (tcp(7)) has the number of TIOCOUTQ.
    (in_kernel,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
    return transport.get_write_buffer_size() + int(in_kernel)

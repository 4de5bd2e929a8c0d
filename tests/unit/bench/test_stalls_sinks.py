"""The clients of the benchmark count whole messages, however these come in pieces."""

import socket
import threading

import pytest

from bench.clients import ClientError
from bench.stalls.sinks import HttpSink, WebSocketSink

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def served(answer: bytes) -> int:
    """Serve ``answer`` to one who connects, and give the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_once() -> None:
        with listener, listener.accept()[0] as client:
            client.sendall(answer)
            client.recv(4096)

    threading.Thread(target=answer_once).start()
    port: int = listener.getsockname()[1]
    return port


def frame(size: int, opcode: int = 1) -> bytes:
    """Give a frame of so many bytes."""
    return bytes([0x80 | opcode, 127]) + size.to_bytes(8) + b"x" * size


def read_all(sink: WebSocketSink | HttpSink, size: int) -> None:
    """Read until ``size`` bytes came."""
    while sink.bytes < size:
        sink.read()


@pytest.mark.parametrize("sizes", [[70_000], [70_000, 5000, 66_000]])
def test_websocket(sizes: list[int]) -> None:
    """Each frame is one, wherever the stream is cut."""
    frames = b"".join(map(frame, sizes))
    sink = WebSocketSink(served(UPGRADED + frames))
    with sink.socket:
        read_all(sink, len(frames))

        assert sink.messages == len(sizes)


def test_http() -> None:
    """An answer is whole when its content is."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000
    sink = HttpSink(served(answer + answer[:-1]))
    with sink.socket:
        read_all(sink, len(answer) * 2 - 1)

        assert sink.messages == 1


def test_what_no_client_should_meet() -> None:
    """A refusal, a frame of another kind, and an end are errors that say so."""
    with pytest.raises(ClientError, match="refused"):
        WebSocketSink(served(b"HTTP/1.1 403 Forbidden\r\n\r\n"))
    closed = WebSocketSink(served(UPGRADED + frame(20, opcode=8)))
    with closed.socket, pytest.raises(ClientError, match="opcode 8"):
        closed.read()
    unavailable = HttpSink(served(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"))
    with unavailable.socket, pytest.raises(ClientError, match="503"):
        unavailable.read()

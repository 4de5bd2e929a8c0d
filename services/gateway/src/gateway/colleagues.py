"""
How one worker of a gateway asks all of them.

Each worker has a letterbox, a pair of sockets that is made before the fork: it has no name that anybody else could
connect to, leaves nothing behind, and outlives its worker. A question is one line, put in together with one end of a
new pair of sockets; the answer comes through that as JSON, of which a part is never valid, so it is whole or none.

Source: docs/adr/0012-workers.md.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog

log = structlog.get_logger("colleagues")

# Who has not answered by then is left out.
ANSWER_S = 1.0
# 50 000 clients take 25 MB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_MAX_QUESTION_BYTES = 128
_CHUNK_BYTES = 256 * 1024


class Letterbox(NamedTuple):
    """
    Where one worker is asked.

    Attributes:
        slot: Where every worker puts questions in.
        inside: Where its own worker takes them out.
    """

    slot: socket.socket
    inside: socket.socket


class Place(NamedTuple):
    """
    One worker's among all of a gateway.

    Attributes:
        number: Its own, from 0.
        boxes: Of all, by number; none where there is one worker.
    """

    number: int
    boxes: tuple[Letterbox, ...]


ALONE = Place(0, ())


class Answers(NamedTuple):
    """
    What came of a question.

    Attributes:
        asked: How many workers there are.
        given: What they say, by number; those that did not answer in time are missing.
    """

    asked: int
    given: dict[int, Any]

    @property
    def workers(self) -> dict[str, int]:
        """How many were asked and did answer, as the endpoints tell it."""
        return {"asked": self.asked, "answered": len(self.given)}


def make_letterbox() -> Letterbox:
    """Make one; its slot takes some hundred questions, then none."""
    # Packets keep the questions apart.
    box = Letterbox(*socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    for end in box:
        end.setblocking(False)
    return box


class Colleagues:
    """
    The workers of this gateway, itself among them.

    Args:
        place: This worker's.
        answers: What it says of itself, by question: anything that JSON can hold.
    """

    def __init__(self, place: Place, answers: Mapping[str, Callable[[], Awaitable[Any]]]) -> None:
        self._place = place
        self._answers = answers

    async def ask(self, question: str) -> Answers:
        """Have every worker answer, each within ANSWER_S; this one always does."""
        own, boxes = self._place
        async with asyncio.TaskGroup() as tasks:
            asking = {
                number: tasks.create_task(_ask(box, question)) for number, box in enumerate(boxes) if number != own
            }
        given = {number: task.result() for number, task in asking.items()} | {own: await self._answers[question]()}
        return Answers(max(1, len(boxes)), {n: given[n] for n in sorted(given) if given[n] is not None})

    async def answer(self) -> None:
        """Answer what the others ask, for ever."""
        if not self._place.boxes:
            return
        inside = self._place.boxes[self._place.number].inside
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            loop.add_reader(inside, lambda: self._take_question(inside, tasks))
            try:
                await asyncio.Event().wait()
            finally:
                loop.remove_reader(inside)

    def _take_question(self, inside: socket.socket, tasks: asyncio.TaskGroup) -> None:
        question, ends, _, _ = socket.recv_fds(inside, _MAX_QUESTION_BYTES, 1)
        for end in map(_socket_of, ends):
            tasks.create_task(self._tell(end, question.decode()))

    async def _tell(self, end: socket.socket, question: str) -> None:
        with end:  # whatever becomes of the answer, who asks is not left waiting
            end.setblocking(False)
            try:
                answer = msgspec.json.encode(await self._answers[question]())
                async with asyncio.timeout(ANSWER_S):
                    await asyncio.get_running_loop().sock_sendall(end, answer)
            except (OSError, TimeoutError):
                pass  # who asked waits no more
            except Exception:
                # It would end this worker with all its clients; who asked goes on without this answer.
                log.exception("question not answered", question=question)


def _socket_of(descriptor: int) -> socket.socket:
    return socket.socket(fileno=descriptor)


async def _ask(box: Letterbox, question: str) -> Any:
    try:
        mine, theirs = socket.socketpair()
        with mine:
            mine.setblocking(False)
            with theirs:
                socket.send_fds(box.slot, [question.encode()], [theirs.fileno()])
            async with asyncio.timeout(ANSWER_S):
                return msgspec.json.decode(await _receive_all(mine))
    except (OSError, TimeoutError, ValueError, msgspec.DecodeError):
        return None  # it is away, or its letterbox is full, or it ended while it spoke


async def _receive_all(end: socket.socket) -> bytes:
    loop, received = asyncio.get_running_loop(), bytearray()
    while len(received) <= MAX_ANSWER_BYTES and (chunk := await loop.sock_recv(end, _CHUNK_BYTES)):
        received += chunk
    if len(received) > MAX_ANSWER_BYTES:
        raise ValueError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes; fewer are allowed")
    return bytes(received)

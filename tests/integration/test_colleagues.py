"""Workers that ask each other, over real sockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from gateway import colleagues
from gateway.colleagues import ALONE, Colleagues, Letterbox, Place, make_letterbox


def saying(what: object) -> Callable[[], Awaitable[object]]:
    """Give what always answers the same."""

    async def answer() -> object:
        return what

    return answer


@contextlib.asynccontextmanager
async def office(*answers: Any) -> AsyncIterator[list[Colleagues]]:
    """Give workers with those answers to ``what``; those whose answer is ``None`` are not at work."""
    boxes = tuple(make_letterbox() for _ in answers)
    workers = [Colleagues(Place(number, boxes), {"what": saying(each)}) for number, each in enumerate(answers)]
    async with asyncio.TaskGroup() as tasks:
        at_work = [
            tasks.create_task(each.answer()) for each, it in zip(workers, answers, strict=True) if it is not None
        ]
        yield workers
        for task in at_work:
            task.cancel()
    for box in boxes:
        close(box)


def close(box: Letterbox) -> None:
    """Close both ends."""
    for end in box:
        end.close()


async def test_one_alone_asks_itself() -> None:
    """Nothing else is there."""
    alone = Colleagues(ALONE, {"what": saying({"clients": 3})})
    await alone.answer()

    assert await alone.ask("what") == (1, {0: {"clients": 3}})


async def test_whoever_is_asked_gives_the_answers_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, however large they are and however many ask at a time."""
    monkeypatch.setattr(colleagues, "ANSWER_S", 30.0)
    large = ["x" * 1000] * 5000
    async with office("a", large, "c") as workers:
        given = await asyncio.gather(*(each.ask("what") for each in workers * 10))

    assert all(answers == (3, {0: "a", 1: large, 2: "c"}) for answers in given)


async def test_who_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, and it shows."""
    monkeypatch.setattr(colleagues, "ANSWER_S", 0.05)
    async with office("a", None, "c") as workers:
        answers = await workers[0].ask("what")

    assert answers.given == {0: "a", 2: "c"}
    assert answers.workers == {"asked": 3, "answered": 2}


async def test_who_takes_its_place_answers_later_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past those that nobody waits for any more."""
    monkeypatch.setattr(colleagues, "ANSWER_S", 0.05)
    boxes = (make_letterbox(), make_letterbox())
    first, second = (Colleagues(Place(number, boxes), {"what": saying("x" * 1_000_000)}) for number in range(2))
    assert len((await first.ask("what")).given) == 1

    async with asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(second.answer())
        monkeypatch.setattr(colleagues, "ANSWER_S", 5.0)
        assert len((await first.ask("what")).given) == 2
        answering.cancel()
    for box in boxes:
        close(box)


async def test_a_full_letterbox_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a bound, and nobody waits to put a question in."""
    async with office("a", None) as workers:
        monkeypatch.setattr(colleagues, "ANSWER_S", 0.0)
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(workers[0].ask("what")) for _ in range(2000)]

    assert {len(task.result().given) for task in asking} == {1}


@pytest.mark.parametrize(
    "spoken", [b'{"clients": 1', b"", json.dumps("x" * 5000).encode()], ids=["part", "none", "long"]
)
async def test_what_is_no_whole_answer_of_fit_size_is_none(spoken: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who died while it spoke, or speaks without end, is left out."""
    monkeypatch.setattr(colleagues, "MAX_ANSWER_BYTES", 4096)
    boxes = (make_letterbox(), make_letterbox())
    asker = Colleagues(Place(0, boxes), {"what": saying("a")})
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(asker.ask("what"))
        asyncio.get_running_loop().add_reader(boxes[1].inside, speak, boxes[1].inside, spoken)
    for box in boxes:
        close(box)

    assert asking.result().given == {0: "a"}


def speak(inside: socket.socket, spoken: bytes) -> None:
    """Answer one question with those bytes."""
    _, (end,), _, _ = socket.recv_fds(inside, 64, 1)
    with socket.socket(fileno=end) as answering:
        answering.sendall(spoken)
    asyncio.get_running_loop().remove_reader(inside)

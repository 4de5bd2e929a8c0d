"""What a client knows of a channel, frame by frame."""

import json
from pathlib import Path
from typing import Any

import pytest
from reportcast.contracts.position import Position
from reportcast_client.frames import Delta, Snapshot, frame_of
from reportcast_client.reducer import Outcome, Phase, State, Step, held, reduce
from reportcast_client.report import Report

GOLDEN = Path(__file__).parents[2] / "golden"
STORIES = json.loads((GOLDEN / "stories.json").read_text())


def run(frames: list[str], state: State) -> list[Step]:
    """Give what each frame comes to that is one."""
    steps = []
    for text in frames:
        frame = frame_of(text.encode())
        if frame is not None:
            step = reduce(state, frame)
            state = step.state
            steps.append(step)
    return steps


@pytest.mark.parametrize("channel", ["audit", None], ids=["named", "the first"])
@pytest.mark.parametrize("story", STORIES, ids=[story["name"] for story in STORIES])
def test_a_story(story: dict[str, Any], channel: str | None) -> None:
    """It ends where it has to, with that report, after asking as often as it has to."""
    steps = run(story["frames"], State(channel))

    report, ends = steps[-1].state.report, story["ends"]
    assert report is not None
    assert report.position == Position(ends["epoch"], ends["offset"])
    assert report.body == ends["body"].encode()
    assert report.data == json.loads(ends["body"])
    assert sum(step.outcome is Outcome.ASK for step in steps) == story["resyncs"]


def _live() -> Report:
    report = run(STORIES[0]["frames"][:4], State("audit"))[-1].state.report
    assert report is not None
    return report


def test_a_report_that_was_kept_goes_on() -> None:
    """The next change is applied to it; nothing is asked for again."""
    last = STORIES[0]["frames"][-2:]

    steps = run(last, held(_live()))

    assert [step.outcome for step in steps] == [Outcome.APPLIED, Outcome.APPLIED]
    assert steps[-1].state.report is not None
    assert steps[-1].state.report.position.offset == 4


def test_a_snapshot_is_proved() -> None:
    """One that is not what its digest says is not shown: the report stays, and nothing leads on from it."""
    text = STORIES[0]["frames"][2].replace('"dirty":1', '"dirty":7')

    step = run([text], held(_live()))[0]

    assert step.outcome is Outcome.CORRUPT
    assert step.state.report == _live()
    assert step.state.resume_from is None
    assert isinstance(frame := frame_of(text.encode()), Snapshot)
    assert step.found not in (None, frame.digest)


def test_a_delta_is_proved() -> None:
    """One that makes another report than it promises is not applied, and the whole is asked for."""
    text = STORIES[0]["frames"][4].replace('"dirty":1', '"dirty":7')

    step = run([text], State("audit", Phase.LIVE, _live()))[0]

    assert step.outcome is Outcome.ASK
    assert step.state.report == _live()
    assert step.state.resume_from is None
    assert isinstance(frame := frame_of(text.encode()), Delta)
    assert step.found not in (None, frame.digest)

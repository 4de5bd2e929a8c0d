import pytest
from watcher.inotify import Hint
from watcher.settle import QUIET_S
from watcher.writer import STROKE_S, Writer

WRITING, CLOSED, PLACED, LOOK = Hint.WRITING, Hint.CLOSED, Hint.PLACED, Hint.LOOK


@pytest.mark.parametrize(
    ("events", "is_other", "finished"),
    [
        pytest.param([], False, False, id="nothing-known"),
        pytest.param([(0, LOOK)], True, False, id="looked-at"),
        pytest.param([(0, WRITING)], True, False, id="open"),
        pytest.param([(0, CLOSED)], False, True, id="written-and-closed-in-one-batch"),
        pytest.param([(0, WRITING), (0.002, WRITING), (STROKE_S, CLOSED)], False, True, id="one-stroke"),
        pytest.param([(0, WRITING), (0.02, CLOSED)], False, False, id="closed-later"),
        pytest.param([(0, WRITING), (0.02, WRITING), (1, CLOSED)], False, True, id="one-stroke-after-a-long-burst"),
        pytest.param([(0, WRITING), (0.006, WRITING), (0.006, CLOSED)], False, False, id="perhaps-a-stranger's-close"),
        pytest.param([(0, WRITING), (0.006, WRITING), (0.006, CLOSED)], True, True, id="truncated-or-resized"),
        pytest.param([(0, WRITING), (1, WRITING), (1.001, CLOSED)], False, True, id="after-a-pause-another-stroke"),
        pytest.param([(0, WRITING), (0.006, WRITING), (0.006, PLACED)], False, True, id="renamed-into-place"),
        pytest.param([(0, PLACED), (0.001, WRITING)], False, False, id="written-to-again"),
    ],
)
def test_one_file(events: list[tuple[float, Hint]], is_other: bool, finished: bool) -> None:
    """A close is taken for the writer's only where it can be nobody else's."""
    writer = Writer(is_one_file=True)
    for moment_s, hint in events:
        writer.note(hint, moment_s)

    assert writer.has_finished(writer.last, is_other) is finished
    assert QUIET_S > STROKE_S


def test_of_a_pattern_nothing_is_known() -> None:
    """What was closed or placed may be another file."""
    writer = Writer(is_one_file=False)
    writer.note(PLACED, 0)

    assert not writer.has_finished(PLACED, is_other_file=True)


@pytest.mark.parametrize(("before", "during"), [(CLOSED, WRITING), (WRITING, CLOSED)])
def test_what_comes_during_the_reading_counts(before: Hint, during: Hint) -> None:
    """It may be of what was read."""
    writer = Writer(is_one_file=True)
    writer.note(before, 0)
    writer.note(during, 0.001)

    assert not writer.has_finished(before, is_other_file=True)


def test_what_was_finished_is_no_part_of_the_next_stroke() -> None:
    """A producer that writes every few ms writes each time anew."""
    writer = Writer(is_one_file=True)
    for number in range(5):
        writer.note(WRITING, number * 0.01)
        writer.note(CLOSED, number * 0.01 + 0.001)
        assert writer.has_finished(CLOSED, is_other_file=False)
        writer.rest()

"""The judge of the fault suite condemns what it has to: each doctored story is a true one but for one lie."""

from collections.abc import Sequence

import pytest
from reportcast.contracts.position import Position

from tests.support.journal import Adopted, Delta, Event, Following, Opened, Skipped, Verdict, judge, together


def at(offset: int, epoch: str = "e") -> Position:
    return Position(epoch, offset)


def digest(offset: int, epoch: str = "e") -> str:
    return f"digest of {epoch}/{offset}"


def snapshot(offset: int, epoch: str = "e") -> Adopted:
    return Adopted(at(offset, epoch), digest(offset, epoch), digest(offset, epoch))


def delta(offset: int, applied: bool = True, base: str | None = None, found: str | None = None) -> Delta:
    made = (found or digest(offset)) if applied else None
    return Delta(at(offset), base or digest(offset - 1), digest(offset), made)


def first() -> list[Event]:
    """Give how every story begins: at ``e/3``."""
    return [Opened(), Following(None, at(3), recovered=False), snapshot(3)]


def resumed(asked: int, newest: int) -> list[Event]:
    return [Opened(), Following(at(asked), at(newest), recovered=True)]


def refused(asked: int, newest: int, epoch: str = "e") -> list[Event]:
    return [Opened(), Following(at(asked), at(newest, epoch), recovered=False)]


@pytest.mark.parametrize(
    ("story", "newest", "recovered", "refusals"),
    [
        pytest.param([], digest(3), 0, 0, id="one snapshot"),
        pytest.param([delta(4), delta(5)], digest(5), 0, 0, id="deltas"),
        pytest.param([delta(4), snapshot(5), delta(6)], digest(6), 0, 0, id="a whole report instead of a delta"),
        pytest.param([Skipped(9), snapshot(9), delta(10)], digest(10), 0, 0, id="slow"),
        pytest.param([delta(4), *resumed(4, 6), delta(5), delta(6), delta(7)], digest(7), 1, 0, id="resumed"),
        pytest.param([*resumed(3, 3)], digest(3), 1, 0, id="resumed at the newest"),
        pytest.param([*resumed(3, 5), delta(4), *resumed(4, 5), delta(5)], digest(5), 2, 0, id="cut off amid a resume"),
        pytest.param([*refused(3, 9), snapshot(9)], digest(9), 0, 1, id="resume refused"),
        pytest.param([*refused(3, 1, "f"), snapshot(1, "f")], digest(1, "f"), 0, 1, id="another epoch"),
        pytest.param([snapshot(4, "f")], digest(4, "f"), 0, 0, id="another epoch amid a connection"),
        pytest.param(
            [delta(6, applied=False), Following(at(3), at(6), recovered=True), delta(4), delta(5), delta(6)][1:],
            digest(6),
            1,
            0,
            id="followed again on the same connection",
        ),
    ],
)
def test_a_true_story(story: Sequence[Event], newest: str, recovered: int, refusals: int) -> None:
    """Nothing is held against a client that got everything, in whichever way."""
    verdict = judge([*first(), *story], newest)

    assert verdict.is_clean
    assert (verdict.recovered, verdict.refused) == (recovered, refusals)


@pytest.mark.parametrize(
    ("story", "newest", "expected"),
    [
        pytest.param([delta(4)], digest(5), Verdict(lost=1), id="the last change never came"),
        pytest.param([snapshot(6)], digest(6), Verdict(lost=2), id="a jump that nobody announced"),
        pytest.param([Skipped(5), snapshot(7)], digest(7), Verdict(lost=3), id="a jump beyond what was announced"),
        pytest.param(
            [*resumed(3, 3), snapshot(6)], digest(6), Verdict(lost=2, recovered=1), id="a jump after a whole resume"
        ),
        pytest.param(
            [Adopted(at(3), digest(4), digest(4))],
            digest(4),
            Verdict(lost=1, duplicated=1),
            id="one position, two reports",
        ),
        pytest.param(
            [delta(4, applied=False), delta(4)], digest(4), Verdict(lost=1, duplicated=1), id="a delta dropped"
        ),
        pytest.param([delta(4), delta(4, applied=False)], digest(4), Verdict(duplicated=1), id="a delta came twice"),
        pytest.param([snapshot(3)], digest(3), Verdict(duplicated=1), id="a snapshot came twice"),
        pytest.param(
            [delta(2, applied=False)], digest(3), Verdict(duplicated=1), id="what the snapshot held came after it"
        ),
        pytest.param(
            [delta(4), *resumed(4, 5), delta(4, applied=False), delta(5)],
            digest(5),
            Verdict(duplicated=1, recovered=1),
            id="a resume began one too early",
        ),
        pytest.param([delta(4), delta(4)], digest(4), Verdict(duplicated=1, across_gap=1), id="a delta applied twice"),
        pytest.param([delta(5)], digest(5), Verdict(lost=1, across_gap=1), id="applied across a gap"),
        pytest.param([delta(4, base="x")], digest(4), Verdict(across_gap=1), id="applied to another report"),
        pytest.param([delta(4, found="x")], digest(4), Verdict(across_gap=1), id="made another report"),
        pytest.param(
            [Adopted(at(4), digest(4), "x")], digest(4), Verdict(across_gap=1), id="a snapshot with a wrong digest"
        ),
        pytest.param(
            [Delta(at(4, "f"), digest(3), digest(4), digest(4))],
            digest(4),
            Verdict(across_gap=1),
            id="applied a delta of another epoch",
        ),
        pytest.param(
            [*resumed(3, 5), delta(4), snapshot(5)],
            digest(5),
            Verdict(broken_promises=1, recovered=1),
            id="a snapshot where deltas were promised",
        ),
        pytest.param(
            [*resumed(3, 5), delta(5, applied=False)],
            digest(3),
            Verdict(broken_promises=1, recovered=1),
            id="promised deltas that never came",
        ),
        pytest.param(
            [*resumed(3, 5), Skipped(5), snapshot(5)],
            digest(5),
            Verdict(broken_promises=1, recovered=1),
            id="promised, then skipped",
        ),
        pytest.param(
            [*resumed(2, 3)], digest(3), Verdict(broken_promises=1, recovered=1), id="resumed from where it was not"
        ),
        pytest.param(
            [Opened(), Following(at(3), at(3, "f"), recovered=True)],
            digest(3),
            Verdict(broken_promises=1, recovered=1),
            id="whole across epochs",
        ),
        pytest.param(
            [delta(4), *refused(4, 3), snapshot(3), delta(4)],
            digest(4),
            Verdict(went_back=1, refused=1),
            id="an older report after a newer one",
        ),
    ],
)
def test_a_doctored_story(story: Sequence[Event], newest: str, expected: Verdict) -> None:
    """What went wrong is found, named, and not taken for something else."""
    verdict = judge([*first(), *story], newest)

    verdict.snapshots = 0
    assert verdict == expected
    assert not verdict.is_clean


def test_a_client_that_got_nothing() -> None:
    """Has lost the report."""
    assert judge([Opened()], digest(1)) == Verdict(lost=1)


def test_many_clients() -> None:
    """Count together."""
    assert together([Verdict(lost=1, snapshots=2), Verdict(lost=2, recovered=1)]) == Verdict(
        lost=3, snapshots=2, recovered=1
    )

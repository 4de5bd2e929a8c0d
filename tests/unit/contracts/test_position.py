import pytest
from reportcast.contracts.position import Continuity, Position


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        pytest.param(Position("a", 4), Continuity.NEXT, id="next"),
        pytest.param(Position("a", 3), Continuity.DUPLICATE, id="same-offset"),
        pytest.param(Position("a", 2), Continuity.DUPLICATE, id="older"),
        pytest.param(Position("a", 5), Continuity.GAP, id="one-missing"),
        pytest.param(Position("b", 4), Continuity.NEW_EPOCH, id="stream-restarted"),
    ],
)
def test_classify(incoming: Position, expected: Continuity) -> None:
    """A reader at a/3 knows what each incoming position means."""
    assert Position("a", 3).classify(incoming) is expected

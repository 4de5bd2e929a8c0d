"""Updates that are written together."""

from gateway.burst import Burst
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import audit_update

FRAMES = [audit_update(PreparedBody(b"[%d]" % number + b" " * 2000), "now") for number in range(3)]


def test_one_update_is_not_copied() -> None:
    """What every connection is given is the frame itself."""
    burst = Burst(FRAMES[:1], 7)

    assert burst.plain is FRAMES[0].plain
    assert burst.deflated is FRAMES[0].deflated


def test_several_are_joined_once() -> None:
    """And are the same object for everybody."""
    burst = Burst(FRAMES, 7)

    assert burst.plain == b"".join(frame.plain for frame in FRAMES)
    assert burst.deflated == b"".join(frame.deflated for frame in FRAMES)
    assert burst.plain is burst.plain


def test_the_newest_of_them() -> None:
    """With the same number at the end."""
    newest = Burst(FRAMES, 7).newest(2)

    assert (list(newest.frames), newest.last) == (FRAMES[1:], 7)

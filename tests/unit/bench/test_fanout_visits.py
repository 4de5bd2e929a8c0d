from pathlib import Path

from bench.fanout.load import LoadError
from bench.fanout.visits import Laboratory


def test_what_a_peer_fails_at_is_noted() -> None:
    """A visit that fails ends neither the run nor in silence."""
    laboratory = Laboratory(Path("load"), {0})

    def fail() -> int:
        raise LoadError("a server refused the upgrade")

    assert laboratory.attempt("one", lambda: 7) == 7
    assert laboratory.attempt("another", fail) is None
    assert laboratory.failures == {"another": "a server refused the upgrade"}

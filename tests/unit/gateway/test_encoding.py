"""Which encoding a client gets, by what it says of itself."""

import random

import pytest
from gateway.encoding import acceptable
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.body import Encoding
from reportcast.contracts.frames import DEFLATE_FROM_BYTES

ZSTD, GZIP, IDENTITY = Encoding
LARGE, SMALL = DEFLATE_FROM_BYTES, DEFLATE_FROM_BYTES - 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(None, (IDENTITY, ZSTD, GZIP), id="nothing-said"),
        pytest.param("", (IDENTITY,), id="none-wanted"),
        pytest.param("gzip, deflate, br, zstd", (ZSTD, GZIP, IDENTITY), id="chromium"),
        pytest.param("gzip, deflate", (GZIP, IDENTITY), id="older-client"),
        pytest.param("br", (IDENTITY,), id="only-others"),
        pytest.param("gzip;q=1.0, zstd;q=0.5", (GZIP, ZSTD, IDENTITY), id="by-weight"),
        pytest.param("gzip;q=0.001", (GZIP, IDENTITY), id="least-weight"),
        pytest.param("gzip;q=0.5, identity", (IDENTITY, GZIP), id="identity-preferred"),
        pytest.param("zstd;q=0, gzip", (GZIP, IDENTITY), id="one-refused"),
        pytest.param("*", (ZSTD, GZIP, IDENTITY), id="anything"),
        pytest.param("gzip, *;q=0.5", (GZIP, ZSTD, IDENTITY), id="anything-else"),
        pytest.param("gzip, *;q=0", (GZIP,), id="nothing-else"),
        pytest.param("zstd;q=0, *", (GZIP, IDENTITY), id="anything-but-one"),
        pytest.param("identity, *;q=0", (IDENTITY,), id="identity-alone"),
        pytest.param("identity;q=0", (), id="identity-refused"),
        pytest.param("*;q=0", (), id="everything-refused"),
        pytest.param("GZIP ; Q=0.5 ,\tZstd;q=0.4", (GZIP, ZSTD, IDENTITY), id="case-and-space"),
        pytest.param("x-gzip", (GZIP, IDENTITY), id="old-name"),
        pytest.param(", gzip,,", (GZIP, IDENTITY), id="empty-members"),
        pytest.param("gzip;q=2, zstd;q=0.5000, br;;", (IDENTITY,), id="malformed-weights"),
    ],
)
def test_acceptable(header: str | None, expected: tuple[Encoding, ...]) -> None:
    """What it likes best first, then what we like best; nothing that it refuses."""
    assert acceptable(header, LARGE) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("gzip, zstd", (IDENTITY, ZSTD, GZIP)), ("gzip, *;q=0", (GZIP,)), (None, (IDENTITY, ZSTD, GZIP))],
)
def test_a_small_body_is_not_worth_encoding(header: str | None, expected: tuple[Encoding, ...]) -> None:
    """Identity goes first, unless it is refused."""
    assert acceptable(header, SMALL) == expected


WEIGHTS = st.integers(0, 1000)
CODINGS = ("zstd", "gzip", "identity", "*", "br")


@given(st.dictionaries(st.sampled_from(CODINGS), WEIGHTS), st.randoms(use_true_random=False))
def test_weights_decide(weights: dict[str, int], chance: random.Random) -> None:
    """Whatever the order of a header's members: none that weighs nothing, and no lighter one before a heavier one."""
    members = [f"{coding};q={weight / 1000:.3f}" for coding, weight in weights.items()]
    chance.shuffle(members)

    found = acceptable(",".join(members), LARGE)

    others = weights.get("*")
    given_weights = [weights.get(each, others if others is not None else int(each is IDENTITY) / 2) for each in found]
    assert all(given_weights)
    assert given_weights == sorted(given_weights, reverse=True)
    refused = set(Encoding) - set(found)
    assert not any(weights.get(each, others or 0) for each in refused)


@given(st.text(), st.integers(0, 2000))
def test_any_header_can_be_read(header: str, size: int) -> None:
    """Nonsense is no error, and each encoding comes once at most."""
    found = acceptable(header, size)

    assert len(set(found)) == len(found)

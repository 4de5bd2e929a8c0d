"""Each representation has an ETag of its own, and any of them says which report it is."""

import pytest
from gateway.etag import etag_of, known_etag
from reportcast.contracts.body import Encoding

DIGEST = "3d36"
ZSTD, GZIP, IDENTITY = Encoding


def test_etag_of() -> None:
    """They differ by encoding."""
    assert [etag_of(DIGEST, each) for each in Encoding] == ['"3d36-zstd"', '"3d36-gzip"', '"3d36"']


@pytest.mark.parametrize(
    ("header", "encodings", "expected"),
    [
        pytest.param(None, [GZIP], None, id="not-asked"),
        pytest.param('"3d36-gzip"', [ZSTD, GZIP], '"3d36-gzip"', id="another-that-it-takes"),
        pytest.param('"3d36", "3d36-zstd"', [ZSTD, IDENTITY], '"3d36-zstd"', id="what-it-would-be-sent-first"),
        pytest.param('"3d36-gzip"', [IDENTITY], None, id="kept-for-another-client"),
        pytest.param('W/"3d36"', [IDENTITY], '"3d36"', id="weakened"),
        pytest.param('"else" , "3d36"', [IDENTITY], '"3d36"', id="list"),
        pytest.param('"3d37"', list(Encoding), None, id="another-report"),
        pytest.param("3d36", list(Encoding), None, id="unquoted"),
        pytest.param(" * ", [GZIP, IDENTITY], '"3d36-gzip"', id="any"),
    ],
)
def test_known_etag(header: str | None, encodings: list[Encoding], expected: str | None) -> None:
    """The one by which the client has it, in an encoding that it takes."""
    assert known_etag(header, DIGEST, encodings) == expected

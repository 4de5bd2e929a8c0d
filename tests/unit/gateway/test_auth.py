import pytest
from fastapi import HTTPException
from gateway.auth import is_allowed_origin, require_admin


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        pytest.param(None, "a.example", True, id="no-browser"),
        pytest.param("https://a.example", "a.example", True, id="same-host"),
        pytest.param("https://A.example:8443", "a.example:8443", True, id="same-host-and-port"),
        pytest.param("https://a.example:1", "a.example:2", False, id="other-port"),
        pytest.param("https://b.example", "a.example", False, id="foreign"),
        pytest.param("https://ok.example", "a.example", True, id="allowed"),
        pytest.param("http://ok.example", "a.example", False, id="allowed-but-other-scheme"),
        pytest.param("null", "a.example", False, id="opaque"),
        pytest.param("null", "", False, id="opaque-without-host"),
        pytest.param("https://a.example", None, False, id="no-host"),
        pytest.param("http://[", "a.example", False, id="malformed"),
    ],
)
def test_is_allowed_origin(origin: str | None, host: str | None, expected: bool) -> None:
    """A page of the same host, or of an allowed origin, may connect."""
    assert is_allowed_origin(origin, host, ("https://ok.example",)) is expected


@pytest.mark.parametrize("authorization", ["Bearer sesame-sesame", "bearer sesame-sesame", "BEARER  sesame-sesame"])
def test_the_admin_token_opens(authorization: str) -> None:
    """The right token passes; the scheme's letters may be of any case (RFC 9110, 11.1)."""
    require_admin("sesame-sesame", authorization)


@pytest.mark.parametrize(
    ("token", "authorization", "code"),
    [
        pytest.param(None, "Bearer x", 403, id="none-configured"),
        pytest.param("sesame-sesame", None, 401, id="none-given"),
        pytest.param("sesame-sesame", "sesame-sesame", 401, id="no-scheme"),
        pytest.param("sesame-sesame", "Bearer guess", 401, id="wrong"),
        pytest.param("sesame-sesame", "Bearer sésame", 401, id="not-ascii"),
    ],
)
def test_everyone_else_is_refused(token: str | None, authorization: str | None, code: int) -> None:
    """With a code that tells a missing setting from a wrong token."""
    with pytest.raises(HTTPException) as caught:
        require_admin(token, authorization)

    assert caught.value.status_code == code

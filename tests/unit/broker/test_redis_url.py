from pathlib import Path
from urllib.parse import quote

import pytest
from reportcast.broker.redis_url import Form, RedisUrl, parse_redis_url


@pytest.mark.parametrize(
    ("url", "form", "nodes", "shown"),
    [
        pytest.param("redis://h", Form.SERVER, [("h", 6379)], "redis://h", id="host"),
        pytest.param("redis://u:secret@h:1/2", Form.SERVER, [("h", 1)], "redis://h:1/2", id="all"),
        pytest.param("rediss://:secret@[::1]:1", Form.SERVER, [("::1", 1)], "rediss://[::1]:1", id="ipv6-tls"),
        pytest.param("redis://[::1]", Form.SERVER, [("::1", 6379)], "redis://[::1]", id="ipv6"),
        pytest.param("unix://u:secret@/run/r.sock", Form.SERVER, [], "unix:///run/r.sock", id="socket"),
        pytest.param(
            "redis+sentinel://u:secret@a,b:1,[::1]:2/main/3?sentinel_password=secret",
            Form.SENTINEL,
            [("a", 26379), ("b", 1), ("::1", 2)],
            "redis+sentinel://a,b:1,[::1]:2/main/3",
            id="sentinel",
        ),
        pytest.param(
            "rediss+cluster://u:secret@a,b:1",
            Form.CLUSTER,
            [("a", 6379), ("b", 1)],
            "rediss+cluster://a,b:1",
            id="cluster",
        ),
    ],
)
def test_what_a_url_says(url: str, form: Form, nodes: list[tuple[str, int]], shown: str) -> None:
    """Where to go; and as text, no password."""
    found = parse_redis_url(url)

    assert (found.form, list(found.nodes), str(found)) == (form, nodes, shown)
    assert found.has_tls is url.startswith("rediss")
    assert "secret" not in repr(found) + str(found)


def test_credentials_are_unquoted() -> None:
    """Those of the servers and those of the Sentinels are two matters."""
    found = parse_redis_url("redis+sentinel://u%40:p%2Fw@h/main?sentinel_username=s%40&sentinel_password=t%26")

    assert (found.username, found.password) == ("u@", "p/w")
    assert (found.sentinel_username, found.sentinel_password) == ("s@", "t&")
    assert (found.master, found.database) == ("main", 0)
    assert parse_redis_url("redis://:p@h").username is None
    assert parse_redis_url("redis://h").password is None


def test_options_of_tls(tmp_path: Path) -> None:
    """Files, and whether the name in the certificate has to be the host's."""
    file = tmp_path / "a certificate.pem"
    file.touch()

    found = parse_redis_url(f"rediss+cluster://h?ssl_ca_certs={quote(str(file))}&ssl_check_hostname=false")

    assert found.tls == (("ssl_ca_certs", str(file)), ("ssl_check_hostname", False))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://a,b", "several servers are a cluster"),
        ("redis+sentinel://h", "the name of the master has to follow"),
        ("redis+sentinel://h/", "the name of the master has to follow"),
        ("redis+sentinel://h/m/0/0", "expected redis://"),
        ("redis+sentinel://h/m/x", "expected redis://"),
        ("redis+cluster://h/1", "no database but 0"),
        ("redis+cluster://h?sentinel_password=p", "only these are allowed: ssl_ca_certs"),
        ("redis+sentinel://h/m?password=p", "only these are allowed: ssl_ca_certs"),
        ("redis+sentinel://h/m?ssl_check_hostname=false", "with rediss… alone"),
        ("rediss://h?ssl_check_hostname=no", "is true or false"),
        ("rediss://h?ssl_keyfile=/none", "no file that can be read"),
        ("redis+cluster://a,,b", "expected redis://"),
        ("redis+cluster://a:70000", "at most 65535"),
        ("redis+other://a", "expected redis://"),
        ("redis+cluster://u:p@a,u:p@b", "expected redis://"),
    ],
)
def test_what_is_no_url(url: str, words: str) -> None:
    """One sentence says what is expected."""
    with pytest.raises(ValueError, match=words):
        parse_redis_url(url)


def test_equal_urls_are_equal() -> None:
    """Also those with a password, which is in no text."""
    assert parse_redis_url("redis://:a@h") == parse_redis_url("redis://:a@h")
    assert parse_redis_url("redis://:a@h") != parse_redis_url("redis://:b@h")
    assert isinstance(parse_redis_url("redis://h"), RedisUrl)

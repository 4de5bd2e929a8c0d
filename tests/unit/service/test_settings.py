from pathlib import Path

import pytest
from gateway.settings import GatewaySettings
from reportcast.service.settings import SettingsError, describe_settings, load_settings
from standalone.up import StandaloneSettings
from watcher.settings import WatcherSettings


def test_defaults() -> None:
    """An empty environment gives the documented defaults."""
    settings = load_settings(GatewaySettings, {})

    assert settings.gateway_port == 8080
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.gateway_admin_token is None


def test_values_are_read_and_converted() -> None:
    """Numbers, lists and secrets."""
    settings = load_settings(
        GatewaySettings,
        {
            "GATEWAY_PORT": "81",
            "GATEWAY_ALLOWED_ORIGINS": "https://a.example, http://b.example:8080,",
            "GATEWAY_ADMIN_TOKEN": "sesame-sesame",
            "REDIS_URL": "unix:///run/redis.sock",
        },
    )

    assert settings.gateway_port == 81
    assert settings.gateway_allowed_origins == ("https://a.example", "http://b.example:8080")
    assert settings.gateway_admin_token == "sesame-sesame"


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    """Without the line feed at its end; the variable itself wins."""
    (tmp_path / "token").write_text("sesame-sesame\n")
    environ = {"GATEWAY_ADMIN_TOKEN_FILE": str(tmp_path / "token")}

    assert load_settings(GatewaySettings, environ).gateway_admin_token == "sesame-sesame"
    environ["GATEWAY_ADMIN_TOKEN"] = "another-token"
    assert load_settings(GatewaySettings, environ).gateway_admin_token == "another-token"


def test_empty_means_unset() -> None:
    """As compose files pass on what is not set."""
    settings = load_settings(GatewaySettings, {"GATEWAY_ADMIN_TOKEN": "", "GATEWAY_PORT": ""})

    assert (settings.gateway_admin_token, settings.gateway_port) == (None, 8080)


def test_what_kubernetes_injects_is_ignored() -> None:
    """For a service that is called gateway."""
    settings = load_settings(
        GatewaySettings,
        {
            "GATEWAY_PORT": "tcp://10.0.0.1:8080",
            "GATEWAY_SERVICE_HOST": "10.0.0.1",
            "GATEWAY_SERVICE_PORT": "8080",
            "GATEWAY_SERVICE_PORT_HTTP": "8080",
            "GATEWAY_PORT_8080_TCP": "tcp://10.0.0.1:8080",
            "GATEWAY_PORT_8080_TCP_ADDR": "10.0.0.1",
        },
    )

    assert settings.gateway_port == 8080


def test_another_services_settings_are_not_its_business() -> None:
    """One environment file may serve all."""
    load_settings(WatcherSettings, {"GATEWAY_PROT": "1", "PATH": "/bin"})
    with pytest.raises(SettingsError, match="GATEWAY_PROT is not a setting"):
        load_settings(StandaloneSettings, {"GATEWAY_PROT": "1"})


def test_a_wrong_secret_is_not_shown() -> None:
    """Not even in the error."""
    with pytest.raises(SettingsError) as caught:
        load_settings(GatewaySettings, {"GATEWAY_ADMIN_TOKEN": "short"})

    assert str(caught.value).startswith("GATEWAY_ADMIN_TOKEN: ")
    assert "'short'" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:12/34secret@host/0",
        "redis://:pa/secret@host",
        "redis://host:secret",
        "redis://host/secret",
        "redis://host/0?secret=1",
        "rediss://host/0?secret",
        "rediss://host/0?ssl_ca_certs=/secret",
        "redis://:secret@h/0?ssl_ca_certs=/ca.pem",
        "redis://:s@secret@host",
        "redis://secret host:1",
        "redis://.secret..host",
        "redis://secret:0",
        "redis://secret:70000",
        "unix://secret/path",
        "redis://",
        "unix://secret",
        "secret://host",
    ],
)
def test_a_wrong_redis_url_is_refused_without_telling_any_of_it(url: str) -> None:
    """Its password may stand anywhere in it when it is wrong."""
    with pytest.raises(SettingsError) as caught:
        load_settings(GatewaySettings, {"REDIS_URL": url})

    assert str(caught.value).startswith("REDIS_URL: ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://redis-master.default.svc:6379/0",
        "rediss://:p%2Fw@h:1/15",
        f"rediss://u:p@h?ssl_ca_certs={__file__}",
        "unix:///run/r.sock",
        "redis://[::1]:6379/0",
    ],
)
def test_a_redis_url(url: str) -> None:
    """All the ways to reach one server."""
    assert load_settings(GatewaySettings, {"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize("host", ["a.example:80", "bad/host", "*", "a b"])
def test_a_host_that_can_never_match_is_refused(host: str) -> None:
    """Names and *.names alone, without a port."""
    with pytest.raises(SettingsError, match="is no host name"):
        load_settings(GatewaySettings, {"GATEWAY_ALLOWED_HOSTS": f"ok.example,{host}"})


@pytest.mark.parametrize("proxy", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_proxy_that_can_never_match_or_always_is_refused(proxy: str) -> None:
    """Addresses and networks alone: everybody is no proxy."""
    with pytest.raises(SettingsError, match="neither address nor network"):
        load_settings(GatewaySettings, {"GATEWAY_TRUSTED_PROXIES": f"10.0.0.0/8,{proxy}"})


def test_proxies_are_addresses_and_networks() -> None:
    """Of both families."""
    proxies = "10.0.0.0/8, 192.0.2.1, ::1, fd00::/8"

    settings = load_settings(GatewaySettings, {"GATEWAY_TRUSTED_PROXIES": proxies})

    assert ", ".join(settings.gateway_trusted_proxies) == proxies


def test_a_near_miss_is_named() -> None:
    """A level may be of any case."""
    assert load_settings(GatewaySettings, {"LOG_LEVEL": "INFO"}).log_level == "info"
    with pytest.raises(SettingsError, match="did you mean GATEWAY_PORT"):
        load_settings(GatewaySettings, {"GATEWAY_PROT": "1"})


def test_the_help_names_every_setting() -> None:
    """With its default, and where a file will do."""
    text = describe_settings(GatewaySettings)

    assert "GATEWAY_PORT" in text
    assert "[8080]" in text
    assert "(or GATEWAY_ADMIN_TOKEN_FILE) [unset]" in text

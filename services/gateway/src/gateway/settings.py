"""The gateway's settings."""

import ipaddress
import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from reportcast.broker.keys import keys_of
from reportcast.contracts.channels import AUDIT, check_free
from reportcast.service.settings import SECRET, CommaSeparated, RedisSettings, Settings


class ServerSettings(Settings):
    """How clients are served; the standalone server shares these."""

    prefixes: ClassVar[tuple[str, ...]] = ("GATEWAY_",)

    gateway_host: str = Field("127.0.0.1", description="address that clients connect to")
    gateway_port: int = Field(8080, ge=0, le=65535, description="port that clients connect to; 0: any")
    gateway_max_connections: int = Field(
        50_000, ge=1, le=1_000_000, description="clients at a time; one more is closed with 1013, or gets 503"
    )
    gateway_max_connections_per_address: int = Field(
        0, ge=0, le=1_000_000, description="of them from one address, or one /64 of IPv6; 0: any number"
    )
    gateway_handshakes_per_s: int = Field(
        0, ge=0, le=1_000_000, description="handshakes a second from one address; one more gets 429; 0: any number"
    )
    gateway_handshake_timeout_s: float = Field(
        10.0, gt=0, le=3600, description="a request that has not come whole by then is ended, seconds"
    )
    gateway_trusted_proxies: CommaSeparated = Field(
        (), description="addresses and networks of proxies whose X-Forwarded-For is believed; none when unset"
    )
    gateway_allowed_origins: CommaSeparated = Field(
        (), description="origins whose pages may connect, such as https://a.example; same origin when unset"
    )
    gateway_allowed_hosts: CommaSeparated = Field(
        (), description="host names that requests may be for, against DNS rebinding; any when unset"
    )
    gateway_admin_token: Annotated[str | None, SECRET] = Field(
        None, min_length=8, description="token of the admin endpoints; they refuse when unset"
    )
    gateway_read_token: Annotated[str | None, SECRET] = Field(
        None, min_length=8, description="token that reading takes, on every transport; everybody may read when unset"
    )
    gateway_ping_interval_s: float = Field(
        30.0, gt=0, le=3600, description="between pings; a client silent for two of them is dropped, seconds"
    )

    gateway_stuck_s: float = Field(
        30.0, gt=0, le=3600, description="a client that reads nothing for so long is closed with 4008, seconds"
    )
    gateway_max_lifetime_s: float = Field(
        0.0, ge=0, description="connections are asked to come again after 80 to 100 % of it, seconds; 0: never"
    )
    gateway_self_probe: bool = Field(
        True, description="whether the gateway follows the watchers' canary over a WebSocket to its own port"
    )
    gateway_drain_s: float = Field(
        5.0, ge=0, le=3600, description="at the end, connections are closed spread over so long, seconds"
    )
    gateway_paint_sample: float = Field(
        0.01, ge=0, le=1, description="of how many changes browsers should report when they were painted; 0: none"
    )

    @field_validator("gateway_trusted_proxies")
    @classmethod
    def _check_proxies(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as exc:
                form = "expected such as 192.0.2.1 or 10.0.0.0/8, without bits beyond the prefix"
                raise ValueError(f"{proxy!r} is neither address nor network; {form}") from exc
        return proxies

    @field_validator("gateway_allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not re.fullmatch(r"(\*\.)?[0-9A-Za-z_.-]+|\[[0-9A-Fa-f:.]+\]", host):
                raise ValueError(f"{host!r} is no host name; expected name, *.name or an address, without a port")
        return tuple(host.lower() for host in hosts)

    @field_validator("gateway_allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in {"http", "https"}
                or not parts.netloc
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"{origin!r} is no origin; expected scheme://host or scheme://host:port")
        return origins


class GatewaySettings(ServerSettings, RedisSettings):
    """All that the gateway can be told."""

    gateway_channels: CommaSeparated = Field(
        (AUDIT,), description="channels to serve; the first one to those who name none"
    )
    gateway_workers: int = Field(1, ge=1, le=64, description="processes that serve the port together")

    @field_validator("gateway_channels")
    @classmethod
    def _check_channels(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if not channels:
            raise ValueError("no channel is named; expected at least one")
        for channel in channels:
            keys_of(check_free(channel))  # either raises ValueError
            if channels.count(channel) > 1:
                raise ValueError(f"channel {channel!r} is named twice; once is allowed")
        return channels

"""A Lua script of this package, on the server that has the keys."""

import hashlib
import importlib.resources
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError

from reportcast.broker.redis_client import Client, Servers

_SCRIPTS = importlib.resources.files("reportcast.broker")


class Script:
    """
    One script.

    Args:
        servers: Where it runs.
        name: Of its file, without the suffix.
    """

    def __init__(self, servers: Servers, name: str) -> None:
        self._servers = servers
        self._text = _SCRIPTS.joinpath(f"{name}.lua").read_text()
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()  # Redis' name for it

    async def __call__(self, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        """Run it; all keys have to be of one channel if this is a cluster."""
        client = await self._servers.of(keys[0])
        try:
            return await client.evalsha(self._digest, len(keys), *keys, *args)
        except NoScriptError:  # a server that was started, or took over, since
            return await client.eval(self._text, len(keys), *keys, *args)

    def queue(self, pipeline: Client, keys: Sequence[str], args: Sequence[Any] = ()) -> None:
        """Add a run of it to a pipeline; in there nobody can be told that a server does not know it yet."""
        pipeline.eval(self._text, len(keys), *keys, *args)

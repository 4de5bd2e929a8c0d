"""
What can go wrong with a broker.

    BrokerError
    ├── BrokerUnavailable   not reached, or gone while we waited; trying again can help
    ├── BrokerRefused       reached, but it refuses what we ask; an operator has to act
    └── BrokerFenced        another watcher leads this channel; take the lease first
"""


class BrokerError(Exception):
    """
    The broker did not do what it was asked.

    Attributes:
        url: The broker, without credentials.
        why: What it, or the network, said.
    """

    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, why)
        self.url = url
        self.why = why


class BrokerUnavailable(BrokerError):
    """The broker cannot be reached."""

    def __str__(self) -> str:
        return f"broker {self.url} is unavailable: {self.why}"


class BrokerRefused(BrokerError):
    """The broker answered with an error."""

    def __str__(self) -> str:
        return f"broker {self.url} refused: {self.why}"


class BrokerFenced(BrokerError):
    """What was to be published came from a watcher that does not lead any more."""

    def __str__(self) -> str:
        return f"broker {self.url} refused: {self.why} was sent by a watcher that does not lead; take the lease first"

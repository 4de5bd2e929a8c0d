"""
Why a feed ends, or was interrupted.

    ClientError
    ├── FeedError               it ends: to come back would end the same way
    │   ├── Unauthorized        the token is missing or wrong (401)
    │   ├── Forbidden           the gateway refuses this client (403)
    │   ├── NotServed           there is no such channel, or nothing of ours at the address (404)
    │   ├── WishRefused         the filter is none that can be met
    │   ├── ClosedForGood       the connection was closed with a code that says so
    │   └── TooLarge            a frame is larger than the client takes
    └── Interruption            it goes on by itself, later
        ├── Unreachable         no connection comes about
        ├── Refused             the gateway, or what stands before it, has an answer of its own
        ├── Blocked             what comes is not what this transport has to bring
        ├── Lost                the connection ended
        ├── Silent              nothing came for too long
        └── Corrupt             a report is not what its digest says

``str()`` of each is one sentence.
"""

from reportcast.contracts.position import Position


class ClientError(Exception):
    """All that this package raises."""


class FeedError(ClientError):
    """The feed has ended, because to come back would end the same way."""


class _Told(FeedError):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Unauthorized(_Told):
    """The gateway wants a token, or another one."""


class Forbidden(_Told):
    """The gateway refuses this client."""


class NotServed(_Told):
    """The gateway serves no such channel, or what answers is no gateway."""


class WishRefused(FeedError):
    """
    What was asked for cannot be met.

    Attributes:
        code: As docs/protocol.md has it (``error.code``); ``bad_request`` if HTTP says it.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class ClosedForGood(FeedError):
    """
    The connection was closed by a gateway that does not want this client back as it is.

    Attributes:
        code: The close code.
        reason: What was said with it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"the gateway closed the connection with {self.code}{why}, and does not want this client back as it is"


class TooLarge(FeedError):
    """
    A frame is larger than the client takes.

    Attributes:
        limit: ``max_bytes`` of ``connect``.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"the report is too large; max_bytes allows {self.limit}"


class Interruption(ClientError):
    """
    The feed was interrupted, and goes on later.

    Attributes:
        retry_after_s: When the gateway wants it back; ``None`` if it did not say.
        is_of_transport: Whether another transport may fare better.
        is_exact: Whether ``retry_after_s`` is meant for this client alone, so that it need not be spread.
        final: What it means if it stays so; ``None`` if it need not.
    """

    is_of_transport: bool = False
    is_exact: bool = False
    final: FeedError | None = None

    def __init__(self, sentence: str, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class Unreachable(Interruption):
    """No connection comes about."""


# A proxy says so whose gateway does not answer, or who has enough of us.
_AWAY = (429, 502, 503, 504)
_FINAL = {401: Unauthorized, 403: Forbidden, 404: NotServed}


class Refused(Interruption):
    """
    An answer other than the one that was asked for.

    Attributes:
        status: Of HTTP.
        sentence: The gateway's own; ``None`` if the answer is not the gateway's.
    """

    def __init__(self, status: int, sentence: str | None, retry_after_s: float | None = None) -> None:
        super().__init__(f"refused with {status}: {sentence or 'no gateway answers'}", retry_after_s)
        self.status = status
        self.sentence = sentence
        # What stands between us and the gateway may let another transport through.
        self.is_of_transport = sentence is None and status not in _AWAY
        if kind := _FINAL.get(status):
            self.final = kind(sentence or f"what answers is no gateway, and says {status}")
        elif status == 400 and sentence:
            self.final = WishRefused("bad_request", sentence)


class Blocked(Interruption):
    """What comes is not what this transport has to bring."""

    is_of_transport = True


class Lost(Interruption):
    """
    The connection ended; the gateway may have said when to come back.

    Args:
        sentence: What happened.
        retry_after_s: See ``Interruption``.
        has_answered: Whether it was the gateway that ended it; else another transport may fare better.
        is_exact: See ``Interruption``.
    """

    def __init__(
        self, sentence: str, retry_after_s: float | None = None, has_answered: bool = False, is_exact: bool = True
    ) -> None:
        super().__init__(sentence, retry_after_s)
        self.is_of_transport = not has_answered
        self.is_exact = is_exact


class Silent(Interruption):
    """Nothing came for too long: not even a heartbeat."""

    is_of_transport = True

    def __init__(self, silence_s: float) -> None:
        super().__init__(f"nothing came for {silence_s:g} s")


class Corrupt(Interruption):
    """
    A report came that is not what its digest says.

    Attributes:
        position: Of the report.
    """

    is_of_transport = True

    def __init__(self, position: Position) -> None:
        super().__init__(f"the report at offset {position.offset} is not what its digest says")
        self.position = position

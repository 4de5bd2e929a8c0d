"""Server-sent events, taken apart as they arrive. Pure. Source: HTML, 9.2.6 (interpreting an event stream)."""

import re

from reportcast_client.errors import TooLarge

_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"


class EventLines:
    """
    Gives what events say, from pieces of any size.

    Of an event only ``data`` is of interest: the frames in it say where a reader stands, and when to come back.

    Args:
        max_bytes: What an event may have.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # What no line end has come behind yet, and how much of it was searched.
        self._rest = bytearray()
        self._searched = 0
        self._data: list[bytes] = []
        self._size = 0
        self._is_first = True
        # The last piece ended with a carriage return, which ended a line: a line feed that follows belongs to it.
        self._is_after_return = False

    def feed(self, received: bytes) -> list[bytes]:
        """
        Take what arrived.

        Returns:
            The data of each event that is whole now.

        Raises:
            TooLarge: If an event is larger than allowed.
        """
        if self._is_after_return and received:
            received = received.removeprefix(b"\n")
            self._is_after_return = False
        self._rest += received
        found, begin = [], 0
        while end := _END.search(self._rest, max(begin, self._searched)):
            found += self._take(bytes(self._rest[begin : end.start()]))
            begin = end.end()
            self._is_after_return = begin == len(self._rest) and end[0] == b"\r"
        del self._rest[:begin]
        self._searched = len(self._rest)
        self._check(self._size + len(self._rest))
        return found

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise TooLarge(self._max_bytes)

    def _take(self, line: bytes) -> list[bytes]:
        if self._is_first:
            line = line.removeprefix(_MARK)
            self._is_first = False
        if not line:
            data, self._data, self._size = self._data, [], 0
            return [b"\n".join(data)] if data else []
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(self._data[-1]) + 1
            self._check(self._size - 1)
        return []

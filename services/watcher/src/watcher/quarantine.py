"""
The rejected contents in a directory, each with a record of why: ``<moment>-<digest>.bin`` and ``.json``.

Errors:
    QuarantineError: The directory cannot be used.
"""

import contextlib
import datetime
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import structlog
from reportcast.broker.base import RejectionLimits
from reportcast.contracts.clock import utc_now, utc_ns
from reportcast.contracts.messages import Rejection

from watcher import durable
from watcher.durable import Found

_NAME = re.compile(r"(?P<stem>[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-(?P<digest>[0-9a-f]{12}))\.(?:bin|json)")


# A larger record is not read. Its diff has at most 16 KiB, which JSON makes six times as long at worst.
_MAX_RECORD_BYTES = 1024 * 1024
_LIMITS = RejectionLimits()


class QuarantineError(Exception):
    """Says in one sentence what happened; what was allowed."""


class Quarantine:
    """
    The newest rejected contents, of which this is the only writer from ``open`` on.

    A content is there when its record is. Files of other names are neither read nor changed.

    Args:
        directory: Where; need not exist before ``open``.
        max_files: At most so many contents; the oldest go first. The newest always stays.
        max_bytes: At most so many with their records, but for the newest.
        now: Aware UTC time.
    """

    def __init__(
        self,
        directory: Path,
        max_files: int = 20,
        max_bytes: int = 64 * 1024 * 1024,
        *,
        now: Callable[[], datetime.datetime] = utc_now,
    ) -> None:
        self._directory = directory
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._now = now
        self._last: str | None = None  # the newest, even if the clock went back
        self._log = structlog.get_logger("quarantine").bind(directory=ascii(str(directory))[1:-1])

    def open(self) -> None:
        """
        Make the directory ready: there, without left-overs, within its bounds.

        Raises:
            QuarantineError: If that cannot be done.
        """
        self._last = None  # another watcher may have been the writer meanwhile
        with self._explained():
            self._directory.mkdir(parents=True, exist_ok=True)
            durable.remove_temporaries(self._directory)
            self._prune(utc_ns(self._now()))

    def keep(self, record: Mapping[str, object], content: bytes) -> None:
        """
        Keep a rejected content; it replaces the newest if that is the same.

        Args:
            record: Why, and what else is known; what JSON has no form for is written as its ``str``.
            content: As it was read.

        Raises:
            QuarantineError: If it cannot be written; what was there before is whole.
        """
        # Surrogates, of names that are no UTF-8, become the escapes that JSON has for them.
        text = json.dumps(dict(record), indent=2, ensure_ascii=False, default=str).encode(errors="backslashreplace")
        moment = self._now().astimezone(datetime.UTC)
        moment_ns = utc_ns(moment)
        stem = f"{moment:%Y%m%dT%H%M%S.%fZ}-{hashlib.sha256(content).hexdigest()[:12]}"
        with self._explained():
            before = self._newest_stem()
            durable.write(self._directory, f"{stem}.bin", content, moment_ns)
            durable.write(self._directory, f"{stem}.json", text + b"\n", moment_ns)
            self._last = stem
            if before is not None and before != stem and _digest(before) == _digest(stem):
                durable.remove_all(self._files(before))
            self._prune(moment_ns)

    def recent(self, limits: RejectionLimits = _LIMITS) -> list[tuple[Rejection, bytes]]:
        """
        Give the newest contents with their records, oldest first; what cannot be read, or is foreign, is left out.

        Args:
            limits: How many, and how much of each content; as the broker has them when not given.

        Raises:
            QuarantineError: If the directory cannot be listed.
        """
        with self._explained():
            records = durable.scan(self._directory, _is_record)
        newest_first = sorted(records, key=self._age, reverse=True)
        readable = (found for record in newest_first if (found := self._read(record.name, limits.max_bytes)))
        return list(itertools.islice(readable, limits.max_rejections))[::-1]

    def _read(self, name: str, max_bytes: int) -> tuple[Rejection, bytes] | None:
        record, content = self._files(_stem(name))
        try:
            rejection = msgspec.json.decode(durable.read(record, _MAX_RECORD_BYTES), type=Rejection)
            return rejection, durable.read(content, max_bytes)[:max_bytes]
        except (OSError, ValueError, RecursionError, msgspec.DecodeError) as exc:
            self._log.warning("rejected content skipped", name=name, reason=str(exc))
            return None

    def _newest_stem(self) -> str | None:
        records = durable.scan(self._directory, _is_record)
        newest = max(records, key=self._age, default=None)
        return None if newest is None else _stem(newest.name)

    def _age(self, record: Found) -> tuple[bool, int, str]:
        return _stem(record.name) == self._last, record.modified_ns, record.name

    def _prune(self, now_ns: int) -> None:
        found = durable.scan(self._directory, _NAME.fullmatch)
        records = sorted((file for file in found if _is_record(file.name)), key=self._age)
        sizes = {_stem(record.name): record.size for record in records}
        for file in found:
            if not _is_record(file.name):
                sizes[_stem(file.name)] = sizes.get(_stem(file.name), 0) + file.size
        others = durable.disposable_first(records[:-1], now_ns)
        too_many = len(records) - self._max_files
        # Without a record: the process was killed between both files, or while it removed them.
        surplus = sizes.keys() - {_stem(record.name) for record in records}
        kept_bytes = sum(size for stem, size in sizes.items() if stem not in surplus)
        for index, record in enumerate(others):
            if index >= too_many and kept_bytes <= self._max_bytes:
                break
            surplus.add(_stem(record.name))
            kept_bytes -= sizes[_stem(record.name)]
        durable.remove_all(path for stem in sorted(surplus) for path in self._files(stem))

    def _files(self, stem: str) -> tuple[Path, Path]:
        """Give the record first: without it, the content does not count."""
        return self._directory / f"{stem}.json", self._directory / f"{stem}.bin"

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            sentence = f"rejected content cannot be kept in {ascii(str(self._directory))[1:-1]}: {exc.strerror or exc}"
            raise QuarantineError(f"{sentence}; a directory that can be written is expected") from exc


def _is_record(name: str) -> bool:
    return name.endswith(".json") and _NAME.fullmatch(name) is not None


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _digest(stem: str) -> str:
    return stem.rpartition("-")[2]

import datetime
import hashlib
import json
from pathlib import Path

import pytest
from msgspec.structs import asdict
from reportcast.broker.base import RejectionLimits
from reportcast.contracts.messages import Rejection
from structlog.testing import capture_logs
from watcher.quarantine import Quarantine, QuarantineError

from tests.support.disks import small_disk
from tests.support.reports import MOMENT


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> datetime.datetime:
        return MOMENT + datetime.timedelta(seconds=self.s)


def contents(directory: Path) -> list[bytes]:
    """Give the rejected contents, oldest first; each has its record, and nothing else is there."""
    stems = sorted(path.stem for path in directory.glob("*.json"))
    assert sorted(path.name for path in directory.iterdir()) == sorted(s + e for s in stems for e in (".bin", ".json"))
    return [(directory / f"{stem}.bin").read_bytes() for stem in stems]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def filled(directory: Path, clock: Clock, contents: list[bytes], **bounds: int) -> Quarantine:
    quarantine = Quarantine(directory, **bounds, now=clock)
    quarantine.open()
    for content in contents:
        clock.s += 1
        quarantine.keep({}, content)
    return quarantine


def test_content_and_record(tmp_path: Path, clock: Clock) -> None:
    """The bytes are as they were, the record is JSON for a person, and both have the same name."""
    directory = tmp_path / "a" / "b"
    quarantine = Quarantine(directory, now=clock)
    quarantine.open()

    quarantine.keep({"reason": "syntax", "since": MOMENT, "path": "r\udcff", "diff": "- ä\n+ b"}, b"\x00{")

    digest = hashlib.sha256(b"\x00{").hexdigest()
    record = directory / f"20261123T120000.000000Z-{digest[:12]}.json"
    assert record.with_suffix(".bin").read_bytes() == b"\x00{"
    assert '\n  "reason": "syntax",\n' in record.read_text()
    assert "ä" in record.read_text()
    assert json.loads(record.read_text()) == {
        "reason": "syntax",
        "since": str(MOMENT),
        "path": "r\udcff",
        "diff": "- ä\n+ b",
    }
    assert contents(directory) == [b"\x00{"]


def test_the_same_content_does_not_pile_up(tmp_path: Path, clock: Clock) -> None:
    """Right after itself it replaces what is there; after another it is a new one; at the same moment too."""
    quarantine = filled(tmp_path, clock, [b"1", b"1", b"2", b"1", b"1"])

    assert contents(tmp_path) == [b"1", b"2", b"1"]
    quarantine.keep({"again": True}, b"1")
    assert contents(tmp_path) == [b"1", b"2", b"1"]
    assert json.loads(max(tmp_path.glob("*.json")).read_text()) == {"again": True}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        pytest.param({"max_files": 2}, [b"2" * 900, b"3" * 900], id="count"),
        pytest.param({"max_bytes": 2000}, [b"2" * 900, b"3" * 900], id="bytes"),
        pytest.param({"max_bytes": 10}, [b"3" * 900], id="bytes-of-one"),
        pytest.param({"max_files": 0}, [b"3" * 900], id="none"),
    ],
)
def test_count_and_bytes_are_bounded(
    tmp_path: Path, clock: Clock, bounds: dict[str, int], expected: list[bytes]
) -> None:
    """The oldest go first; the newest always stays."""
    filled(tmp_path, clock, [digit * 900 for digit in (b"0", b"1", b"2", b"3")], **bounds)

    assert contents(tmp_path) == expected
    filled(tmp_path, clock, [], **bounds)
    assert contents(tmp_path) == expected


def test_a_clock_that_goes_back(tmp_path: Path, clock: Clock) -> None:
    """What the wrong clock dated ahead goes first."""
    clock.s = 10**7
    quarantine = filled(tmp_path, clock, [b"ahead1", b"ahead2"], max_files=2)
    for s in range(2):
        clock.s = s
        quarantine.keep({}, b"%d" % s)

    assert contents(tmp_path) == [b"0", b"1"]


def test_the_same_content_does_not_pile_up_across_restarts(tmp_path: Path, clock: Clock) -> None:
    """A watcher that is restarted again and again over one bad file keeps it once, with the newest record."""
    filled(tmp_path, clock, [b"0"])
    for n in range(3):
        clock.s += 1
        filled(tmp_path, clock, []).keep({"start": n}, b"1")

    assert contents(tmp_path) == [b"0", b"1"]
    assert json.loads(max(tmp_path.glob("*.json")).read_text()) == {"start": 2}


def test_another_writer_meanwhile(tmp_path: Path, clock: Clock) -> None:
    """Opened again, the newest is the newest that anybody kept: it is what the same content replaces."""
    quarantine = filled(tmp_path, clock, [b"1"])
    filled(tmp_path, clock, [b"2"])

    quarantine.open()
    clock.s += 1
    quarantine.keep({}, b"2")

    assert contents(tmp_path) == [b"1", b"2"]


def rejection(message: str) -> Rejection:
    """Give a record as the watcher writes it."""
    return Rejection(MOMENT, "r.json", "syntax", message, 2, None, 7, "0" * 64, "- ä\n+ \x00")


def test_contents_and_records_are_read_back(tmp_path: Path, clock: Clock) -> None:
    """By the next process too, oldest first, the newest of them within the limits, each cut to its bound."""
    quarantine = filled(tmp_path, clock, [])
    for n in range(4):
        clock.s = n
        quarantine.keep(asdict(rejection(f"no {n}")), b"\xff%d" % n * 3)
    again = Quarantine(tmp_path, now=clock)

    for opened in (quarantine, again):
        assert opened.recent(RejectionLimits(3, 4)) == [
            (rejection(f"no {n}"), b"\xff%d\xff%d" % (n, n)) for n in (1, 2, 3)
        ]
    assert len(again.recent()) == 4
    assert filled(tmp_path / "empty", clock, []).recent() == []


@pytest.mark.parametrize(
    "record", [b"{", b"{}", b"[" * 5000, b"\xff", b'{"rejected_at":"today"}', b" " * 2**20 + b"{}"]
)
def test_what_cannot_be_read_back_is_skipped(tmp_path: Path, clock: Clock, record: bytes) -> None:
    """It is logged and never raised: a torn or foreign record, one without its content, and what is no file."""
    quarantine = filled(tmp_path, clock, [])
    for n in range(4):
        clock.s = n
        quarantine.keep(asdict(rejection(f"no {n}")), b"%d" % n)
    records = sorted(tmp_path.glob("*.json"))
    records[0].write_bytes(record)
    records[1].with_suffix(".bin").unlink()
    records[2].with_suffix(".bin").unlink()
    records[2].with_suffix(".bin").symlink_to(records[3])

    with capture_logs() as logs:
        assert quarantine.recent() == [(rejection("no 3"), b"3")]
    assert sorted(log["name"] for log in logs) == [path.name for path in records[:3]]


def test_a_lost_directory_cannot_be_read_back(tmp_path: Path, clock: Clock) -> None:
    """It is a sentence."""
    quarantine = filled(tmp_path / "gone", clock, [])
    (tmp_path / "gone").rmdir()

    with pytest.raises(QuarantineError, match="No such file or directory"):
        quarantine.recent()


def test_what_a_killed_process_left_is_removed(tmp_path: Path, clock: Clock) -> None:
    """A content without its record and temporary files go; foreign files and symlinks stay."""
    filled(tmp_path, clock, [b"1", b"2"])
    min(tmp_path.glob("*.json")).unlink()
    (tmp_path / f".reportcast-{'0' * 16}.tmp").write_bytes(b"1")
    foreign = [tmp_path / "notes.bin", tmp_path / "20261123T120000.000000Z-000000000000.bin"]
    foreign[0].write_bytes(b"1")
    foreign[1].symlink_to("notes.bin")

    filled(tmp_path, clock, [])

    for path in foreign:
        path.unlink()
    assert contents(tmp_path) == [b"2"]


def test_a_full_disk_damages_nothing(tmp_path: Path, clock: Clock) -> None:
    """The error says so, and what is there is whole."""
    with small_disk(tmp_path / "disk") as disk:
        quarantine = filled(disk, clock, [b"1"])
        clock.s += 1
        with pytest.raises(
            QuarantineError, match=r"rejected content cannot be kept in .*: No space left on device; a "
        ):
            quarantine.keep({}, b"x" * 100_000)

        assert contents(disk) == [b"1"]


def test_no_directory(tmp_path: Path, clock: Clock) -> None:
    """A file in its place is a sentence."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(QuarantineError, match="File exists"):
        Quarantine(tmp_path / "file", now=clock).open()

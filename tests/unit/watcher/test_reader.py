import os
import threading
from pathlib import Path

import pytest
from reportcast.contracts.errors import ReportError, ReportMissing, ReportTooLarge, ReportUnreadable
from reportcast.contracts.report import Report, ReportKind
from watcher.reader import Reader, fingerprint

from tests.support.reports import audit_bytes

LIMIT = 1024


def test_a_report(tmp_path: Path) -> None:
    """A good file gives the report and the file's traces."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))

    reading = Reader(path, ReportKind.AUDIT, LIMIT).read()

    assert isinstance(reading.content, Report)
    assert reading.fingerprint == fingerprint(path)
    assert reading.modified_ns == path.stat().st_mtime_ns


def test_the_same_content_is_parsed_once(tmp_path: Path) -> None:
    """Good or bad, judged again it is the very same."""
    path = tmp_path / "r.json"
    reader = Reader(path, ReportKind.AUDIT, LIMIT)
    for raw in (audit_bytes(1), b"{"):
        path.write_bytes(raw)
        first = reader.read()
        path.touch()

        assert reader.read().content is first.content


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Can be told all the same."""
    reading = Reader(tmp_path / "r\udcff.json", ReportKind.AUDIT, LIMIT).read()

    assert str(reading.content) == "r\ufffd.json does not exist"


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _large(path: Path) -> None:
    path.write_bytes(b" " * (LIMIT + 1))


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        pytest.param(lambda path: None, ReportMissing, "does not exist", id="missing"),
        pytest.param(_dangling, ReportMissing, "does not exist", id="dangling-link"),
        pytest.param(Path.mkdir, ReportUnreadable, "it is a directory; a regular file is expected", id="directory"),
        pytest.param(_fifo, ReportUnreadable, "it is a FIFO", id="fifo"),
        pytest.param(_zero, ReportUnreadable, "it is a device", id="dev-zero"),
        pytest.param(_loop, ReportUnreadable, "Too many levels of symbolic links", id="symlink-loop"),
        pytest.param(_large, ReportTooLarge, "report is 1025 bytes; the limit is 1024", id="too-large"),
    ],
)
def test_what_is_no_report_file(tmp_path: Path, make: object, kind: type[ReportError], words: str) -> None:
    """Nothing blocks, nothing is read past the limit, and the reason is precise."""
    assert callable(make)
    path = tmp_path / "r.json"
    make(path)

    reading = Reader(path, ReportKind.AUDIT, LIMIT).read()

    assert isinstance(reading.content, kind)
    assert words in str(reading.content)


def test_a_file_that_grows_while_it_is_read_is_never_whole(tmp_path: Path) -> None:
    """A writer that appends without pause gives only errors, within the limit."""
    path = tmp_path / "r.json"
    path.write_bytes(b'{"timestamp":"t","repos":[],"x":"')
    stop = threading.Event()

    def append_for_ever() -> None:
        with path.open("ab") as file:
            while not stop.is_set() and file.tell() < 64 * LIMIT * LIMIT:
                file.write(b"x" * 4096)

    writer = threading.Thread(target=append_for_ever)
    writer.start()
    try:
        readings = [Reader(path, ReportKind.AUDIT, LIMIT * LIMIT).read() for _ in range(20)]
    finally:
        stop.set()
        writer.join()

    assert all(isinstance(reading.content, ReportError) for reading in readings)

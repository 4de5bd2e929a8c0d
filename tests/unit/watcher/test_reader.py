import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from reportcast.contracts.errors import ReportError, ReportMissing, ReportTooLarge, ReportUnreadable
from reportcast.contracts.report import Report, ReportKind
from watcher.reader import Reader, fingerprint, newest

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


def _touched(path: Path, modified_s: int) -> None:
    path.write_bytes(b"{}")
    os.utime(path, (modified_s, modified_s))


def test_the_newest_that_matches(tmp_path: Path) -> None:
    """By modification time, then by name."""
    for name, modified_s in (("b.json", 2), ("a.json", 2), ("c.json", 1), ("d.txt", 3)):
        _touched(tmp_path / name, modified_s)

    assert newest(tmp_path / "*.json").name == "b.json"
    assert newest(tmp_path / "*.yaml").name == "*.yaml"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("."), Path.touch])
def test_what_matches_but_is_no_report(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A newer directory, FIFO, link to a directory or hidden file is not the report; a link to a file can be."""
    _touched(tmp_path / "old", 1)
    (tmp_path / "a.json").symlink_to("old")
    make(tmp_path / (".z.json" if make is Path.touch else "z.json"))

    assert newest(tmp_path / "*.json").name == "a.json"


def test_a_hidden_file_has_to_be_asked_for(tmp_path: Path) -> None:
    """The pattern begins with a dot as well."""
    (tmp_path / ".a.json").touch()

    assert newest(tmp_path / ".*.json").name == ".a.json"


def test_a_file_from_the_future_shadows_no_later_one(tmp_path: Path) -> None:
    """When it was put there counts."""
    future, later = tmp_path / "b.json", tmp_path / "a.json"
    _touched(tmp_path / "old.json", 1)
    _touched(future, 2**33)
    assert newest(tmp_path / "*.json") == future

    later.touch()
    put_ns = future.stat().st_ctime_ns
    os.utime(later, ns=(put_ns + 1, put_ns + 1))
    assert newest(tmp_path / "*.json") == later


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

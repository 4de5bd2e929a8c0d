import datetime
import errno
import os
import tempfile
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from watcher.history import LATEST, History, HistoryError, Kept

from tests.support.disks import (
    directories_not_synced,
    make_read_only,
    nobody,
    small_disk,
    symlinks_refused,
)
from tests.support.reports import MOMENT

HOUR_S = 3600.0


def after(seconds: float) -> datetime.datetime:
    return MOMENT + datetime.timedelta(seconds=seconds)


def opened(directory: Path, max_reports: int = 5, max_age_s: float = HOUR_S) -> History:
    history = History(directory, max_reports, max_age_s, max_bytes=4096)
    history.open(MOMENT)
    return history


def names(history: History) -> list[str]:
    return [kept.name for kept in history.kept()]


def no_left_overs(directory: Path) -> bool:
    return not [path for path in directory.iterdir() if path.name.startswith(".reportcast")]


def test_a_report_is_kept_and_the_latest(tmp_path: Path) -> None:
    """In the layout of the auditor's tools, with its time, in directories that were not there."""
    directory = tmp_path / "a" / "b"
    history = opened(directory)
    assert history.newest() is None

    name = history.keep("2026-11-23T12:00:00Z.json", b'{"a":1}', after(0.123456))

    assert name == "2026-11-23T12:00:00Z.json"
    assert os.readlink(directory / LATEST) == name
    assert (directory / name).stat().st_mode & 0o777 == 0o644
    assert list(history.kept()) == [Kept(name, b'{"a":1}', after(0.123456))]
    assert history.newest() == Kept(name, b'{"a":1}', after(0.123456))


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    """Other content is never replaced, whatever has the name: a file, a directory, or a symlink."""
    history = opened(tmp_path)
    (tmp_path / "t+2.json").mkdir()
    (tmp_path / "t+3.json").symlink_to("nowhere")

    given = [history.keep("t.json", body, after(n)) for n, body in enumerate([b"1", b"2", b"33"])]

    assert given == ["t.json", "t+4.json", "t+5.json"]
    assert [kept.body for kept in history.kept()] == [b"1", b"2", b"33"]
    assert os.readlink(tmp_path / "t+3.json") == "nowhere"


def test_the_same_content_is_written_once(tmp_path: Path) -> None:
    """Kept again, under its own or its numbered name, it is the latest with the new time, and no other file."""
    history = opened(tmp_path)
    for n, body in enumerate([b"1", b"2"]):
        history.keep("t.json", body, after(n))
    inode = (tmp_path / "t.json").stat().st_ino

    assert history.keep("t.json", b"1", after(5)) == "t.json"
    assert (tmp_path / "t.json").stat().st_ino == inode
    assert os.readlink(tmp_path / LATEST) == "t.json"
    assert names(history) == ["t+2.json", "t.json"]
    assert history.keep("t.json", b"2", after(6)) == "t+2.json"
    assert names(history) == ["t.json", "t+2.json"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("latest.json", "latest+2.json", id="latest"),
        pytest.param("LATEST.json", "LATEST+2.json", id="latest-where-case-does-not-count"),
        pytest.param("a" * 64 + "+7.json", "a" * 64 + "+2.json", id="numbered-and-long"),
    ],
)
def test_a_name_that_cannot_be_had(tmp_path: Path, name: str, expected: str) -> None:
    """Another one is used."""
    history = opened(tmp_path)
    if "latest" not in name.lower():
        history.keep(name, b"0", MOMENT)

    assert history.keep(name, b"1", after(1)) == expected
    assert os.readlink(tmp_path / LATEST) == expected
    assert history.newest() == Kept(expected, b"1", after(1))


@pytest.mark.parametrize("name", ["../t.json", "a/b.json", ".t.json", "t.txt", "t\udcff.json", "", "a" * 65 + ".json"])
def test_an_unfit_name_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written, and the sentence says what is allowed."""
    history = opened(tmp_path)

    with pytest.raises(HistoryError, match=r"cannot name a report; letters, digits"):
        history.keep(name, b"1", MOMENT)
    assert list(tmp_path.iterdir()) == []


def test_count_and_age_are_bounded(tmp_path: Path) -> None:
    """The oldest go first; the newest stays, however old it is."""
    history = opened(tmp_path, max_reports=3, max_age_s=100)
    for n in range(5):
        history.keep(f"t{n}.json", b"1", after(n * 40))
    assert names(history) == ["t2.json", "t3.json", "t4.json"]

    history.keep("t5.json", b"1", after(275))
    assert names(history) == ["t5.json"]
    History(tmp_path, 0, 1).open(after(10**6))
    assert names(history) == ["t5.json"]


def test_what_is_foreign_is_left_alone(tmp_path: Path) -> None:
    """Other names, dotfiles, directories and symlinks are neither listed, nor pruned, nor followed."""
    outside = tmp_path / "outside.json"
    outside.write_bytes(b"1")
    directory = tmp_path / "history"
    directory.mkdir()
    (directory / "link.json").symlink_to(outside)
    (directory / "folder.json").mkdir()
    (directory / "a b.json").write_bytes(b"1")
    (directory / ".hidden.json").write_bytes(b"1")
    (directory / ".reportcast-other.tmp").write_bytes(b"1")
    os.mkfifo(directory / "pipe.json")
    foreign = {path.name for path in directory.iterdir()}

    history = opened(directory, max_reports=1)
    for n in range(2):
        history.keep(f"t{n}.json", b"1", after(n))

    assert {path.name for path in directory.iterdir()} == foreign | {"t1.json", LATEST}
    assert names(history) == ["t1.json"]
    assert outside.read_bytes() == b"1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b'{"a":', "truncated", id="torn"),
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b'{"a":NaN}', "malformed", id="not-strict"),
        pytest.param(b'"\xff"', "decode", id="not-utf-8"),
        pytest.param(b"[" * 4000, "recursion", id="deep"),
        pytest.param(b" " * 4096 + b"1", "it is larger than 4096 bytes", id="large"),
    ],
)
def test_what_cannot_be_used_is_skipped(tmp_path: Path, content: bytes, reason: str) -> None:
    """It is logged once, never raised, and the newest is the newest that is good."""
    history = opened(tmp_path)
    history.keep("good.json", b"1", MOMENT)
    (tmp_path / "zbad.json").write_bytes(content)

    with capture_logs() as logs:
        assert names(history) == names(history) == ["good.json"]
    assert [log["name"] for log in logs] == ["zbad.json"]
    assert reason in logs[0]["reason"]
    later = History(tmp_path, 1, HOUR_S, max_bytes=4096)
    later.open(MOMENT)
    newest = later.newest()
    assert newest is not None
    assert newest.name == "good.json"
    assert os.readlink(tmp_path / LATEST) == "good.json"


def test_what_goes_while_it_is_listed_is_left_out(tmp_path: Path) -> None:
    """A file that is pruned, or replaced by a FIFO, between list and read ends nothing."""
    history = opened(tmp_path)
    for n in range(3):
        history.keep(f"t{n}.json", b"1", after(n))

    kept = history.kept()
    (tmp_path / "t0.json").unlink()
    (tmp_path / "t1.json").unlink()
    os.mkfifo(tmp_path / "t1.json")

    assert [report.name for report in kept] == ["t2.json"]


def test_a_clock_that_goes_back(tmp_path: Path) -> None:
    """What is kept last is the newest; what the wrong clock dated ahead does not push out the new."""
    history = opened(tmp_path, max_reports=3)
    for n in range(3):
        history.keep(f"ahead{n}.json", b"1", after(10**7 + n))
    for n in range(3):
        history.keep(f"t{n}.json", b"1", after(n))
        newest = history.newest()
        assert newest is not None
        assert newest.name == f"t{n}.json"

    assert names(history) == ["t0.json", "t1.json", "t2.json"]


@pytest.mark.parametrize("found", ["absent", "dangling", "older", "file"])
def test_latest_is_repaired(tmp_path: Path, found: str) -> None:
    """Whatever it was, after the start it leads to the newest report."""
    history = opened(tmp_path)
    for n in range(2):
        history.keep(f"t{n}.json", b"1", after(n))
    latest = tmp_path / LATEST
    latest.unlink()
    if found == "file":
        latest.write_bytes(b"9")
    elif found != "absent":
        latest.symlink_to({"dangling": "nowhere.json", "older": "t0.json"}[found])

    opened(tmp_path)

    assert os.readlink(latest) == "t1.json"


def test_another_writer_meanwhile(tmp_path: Path) -> None:
    """Opened again, the newest is the newest that anybody kept."""
    history, other = opened(tmp_path), opened(tmp_path)
    history.keep("t1.json", b"1", after(1))
    other.keep("t2.json", b"2", after(2))
    (tmp_path / LATEST).unlink()

    history.open(MOMENT)

    assert names(history) == ["t1.json", "t2.json"]
    assert os.readlink(tmp_path / LATEST) == "t2.json"


def test_left_overs_are_removed(tmp_path: Path) -> None:
    """Temporary files and symlinks of a killed process go at the start, and nothing that they lead to."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"1")
    directory = tmp_path / "history"
    directory.mkdir()
    (directory / f".reportcast-{'0' * 16}.tmp").write_bytes(b"1")
    (directory / f".reportcast-{'1' * 16}.tmp").symlink_to(outside)

    opened(directory)

    assert list(directory.iterdir()) == []
    assert outside.exists()


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP], ids=["fat", "cifs"])
def test_without_symlinks_latest_is_a_copy(tmp_path: Path, code: int) -> None:
    """It has the newest content, and is no report of its own."""
    with symlinks_refused(code):
        history = opened(tmp_path)
        for n in range(2):
            history.keep(f"t{n}.json", b"%d" % n, after(n))
        assert (tmp_path / LATEST).read_bytes() == b"1"
        (tmp_path / LATEST).write_bytes(b"torn")
        opened(tmp_path)

    assert (tmp_path / LATEST).read_bytes() == b"1"
    assert not (tmp_path / LATEST).is_symlink()
    assert names(history) == ["t0.json", "t1.json"]
    assert no_left_overs(tmp_path)


def test_other_reasons_against_a_symlink_are_errors(tmp_path: Path) -> None:
    """A full disk is not taken for one without symlinks; the next time all is well."""
    history = opened(tmp_path)
    with symlinks_refused(errno.ENOSPC), pytest.raises(HistoryError, match="No space left on device"):
        history.keep("t.json", b"1", MOMENT)

    assert history.keep("t.json", b"1", MOMENT) == "t.json"
    assert os.readlink(tmp_path / LATEST) == "t.json"


def test_a_directory_that_cannot_be_synced(tmp_path: Path) -> None:
    """Some file systems cannot; any other reason is an error."""
    history = opened(tmp_path)
    with directories_not_synced(errno.EINVAL):
        history.keep("t.json", b"1", MOMENT)
    with directories_not_synced(errno.EIO), pytest.raises(HistoryError, match="Input/output error"):
        history.keep("u.json", b"1", MOMENT)

    assert no_left_overs(tmp_path)


def test_a_full_disk_damages_nothing(tmp_path: Path) -> None:
    """The error says so, what was kept is whole, and once there is room it goes on."""
    with small_disk(tmp_path / "disk") as disk:
        history = opened(disk, max_reports=1000)
        body = b'"%s"' % (b"x" * 4000)
        kept: list[str] = []
        with pytest.raises(HistoryError, match=r"history cannot be kept in .*: No space left on device; a directory"):
            kept.extend(history.keep(f"t{n}.json", body, after(n)) for n in range(100))

        assert len(kept) > 3
        assert names(history)[: len(kept)] == kept
        assert {report.body for report in history.kept()} == {body}
        assert (disk / LATEST).read_bytes() == body
        assert no_left_overs(disk)
        (disk / kept[0]).unlink()
        assert history.keep("more.json", body, after(999)) == "more.json"


def test_a_read_only_disk_damages_nothing(tmp_path: Path) -> None:
    """The error says so, and what was kept can be read."""
    with small_disk(tmp_path / "disk") as disk:
        history = opened(disk)
        history.keep("t.json", b"1", MOMENT)
        make_read_only(disk)

        with pytest.raises(HistoryError, match="Read-only file system"):
            history.keep("u.json", b"1", after(1))
        assert names(history) == ["t.json"]


def test_no_permission_damages_nothing() -> None:
    """Neither to write nor to remove; what can be removed is removed all the same."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        directory.chmod(0o755)
        history = opened(directory)
        for n in range(2):
            history.keep(f"t{n}.json", b"1", after(n))
        directory.chmod(0o555)

        with nobody(), pytest.raises(HistoryError, match="Permission denied"):
            history.keep("u.json", b"1", after(2))
        with nobody(), pytest.raises(HistoryError, match="Permission denied"):
            History(directory, 1, HOUR_S).open(MOMENT)
        assert names(history) == ["t0.json", "t1.json"]
        assert no_left_overs(directory)
        directory.chmod(0o755)


def test_no_directory(tmp_path: Path) -> None:
    """A file in its place, or its loss, is a sentence."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HistoryError, match="File exists"):
        opened(tmp_path / "file")
    history = opened(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    for attempt in (lambda: history.keep("t.json", b"1", MOMENT), history.kept, history.newest):
        with pytest.raises(HistoryError, match="No such file or directory"):
            attempt()


def test_a_directory_in_the_place_of_latest(tmp_path: Path) -> None:
    """It is not replaced; the report is kept within the bounds, and the error says why it is not the latest."""
    history = opened(tmp_path, max_reports=2)
    (tmp_path / LATEST).mkdir()

    for n in range(3):
        with pytest.raises(HistoryError, match="Is a directory"):
            history.keep(f"t{n}.json", b"1", after(n))
    assert names(history) == ["t1.json", "t2.json"]
    with pytest.raises(HistoryError, match="Is a directory"):
        opened(tmp_path, max_reports=1)
    assert names(history) == ["t2.json"]
    assert no_left_overs(tmp_path)

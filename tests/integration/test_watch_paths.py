"""Real files under a real inotify: whatever happens to a report's path, an event tells of it, without any sweep."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from watcher.watch import WatchMode

from tests.support.watching import armed, swap_config_map, swap_link, watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a directory below others, with a report in it."""
    directory = tmp_path / "a" / "b" / "c"
    directory.mkdir(parents=True)
    (directory / "r.json").write_text("0")
    return directory


def write(path: Path) -> None:
    path.write_text("1")


def rename(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("1")
    other.replace(path)


def recreate_directory(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    path.write_text("1")


def recreate_ancestors(path: Path) -> None:
    shutil.rmtree(path.parents[2])
    path.parent.mkdir(parents=True)
    path.write_text("1")


def move_another_directory_there(path: Path) -> None:
    other = path.parent.with_name("other")
    other.mkdir()
    (other / path.name).write_text("1")
    path.parent.rename(path.parent.with_name("old"))
    other.rename(path.parent)


def move_another_ancestor_there(path: Path) -> None:
    above = path.parents[2]
    other = above.with_name("other")
    (other / "b" / "c").mkdir(parents=True)
    (other / "b" / "c" / path.name).write_text("1")
    above.rename(above.with_name("old"))
    other.rename(above)


def put_a_link_there(path: Path) -> None:
    path.with_name("elsewhere").write_text("1")
    path.unlink()
    path.symlink_to("elsewhere")


def put_a_file_where_the_directory_was_and_back(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")
    path.parent.unlink()
    path.parent.mkdir()
    path.write_text("1")


@pytest.mark.parametrize(
    "change",
    [
        write,
        rename,
        recreate_directory,
        recreate_ancestors,
        move_another_directory_there,
        move_another_ancestor_there,
        put_a_link_there,
        put_a_file_where_the_directory_was_and_back,
    ],
)
async def test_a_change_is_told_of(change: Callable[[Path], None], place: Path) -> None:
    """And so is a plain write after it: the watch is on the right directory again."""
    path = place / "r.json"
    async with watching() as watch:
        lookout = await armed(watch, path)

        change(path)
        await lookout.sees("1")
        path.write_text("2")
        await lookout.sees("2")

    assert lookout.modes == [WatchMode("inotify")]


async def test_link_swaps_are_seen(place: Path) -> None:
    """Wherever the next target lies; and what is written into the newest target."""
    link = place / "latest.json"
    async with watching() as watch:
        lookout = await armed(watch, link)
        for number in range(20):
            target = place.parent / f"runs-{number % 3}" / f"{number}.json"
            target.parent.mkdir(exist_ok=True)
            target.write_text(str(number))
            swap_link(link, f"../{target.parent.name}/{target.name}")
            await lookout.sees(str(number))
        target.write_text("newest")

        await lookout.sees("newest")


async def test_config_map_swaps_are_seen(tmp_path: Path) -> None:
    """Each of fifty, at its end."""
    swap_config_map(tmp_path, 0)
    (tmp_path / "r.json").symlink_to("..data/r.json")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "r.json")
        for number in range(1, 51):
            swap_config_map(tmp_path, number)

            await lookout.sees(str(number))


async def test_a_directory_that_is_a_link_is_swapped(tmp_path: Path) -> None:
    """As ``current`` does in a tree of releases, here with an absolute target."""
    for number in range(3):
        (tmp_path / f"release-{number}" / "out").mkdir(parents=True)
        (tmp_path / f"release-{number}" / "out" / "r.json").write_text(str(number))
    (tmp_path / "current").symlink_to("release-0")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "current" / "out" / "r.json")
        for number in (1, 2, 0):
            swap_link(tmp_path / "current", str(tmp_path / f"release-{number}"))

            await lookout.sees(str(number))


async def test_a_path_that_does_not_exist_yet(tmp_path: Path) -> None:
    """However many of its directories are missing."""
    path = tmp_path / "x" / "y" / "z" / "r.json"
    async with watching() as watch:
        lookout = await armed(watch, path)
        path.parent.mkdir(parents=True)
        path.write_text("1")
        await lookout.sees("1")
        path.write_text("2")

        await lookout.sees("2")


async def test_a_file_where_a_directory_should_be(tmp_path: Path) -> None:
    """It is seen to give way."""
    path = tmp_path / "x" / "y" / "r.json"
    (tmp_path / "x").write_text("in the way")
    async with watching() as watch:
        lookout = await armed(watch, path)
        (tmp_path / "x").unlink()
        path.parent.mkdir(parents=True)
        path.write_text("1")

        await lookout.sees("1")


async def test_a_dangling_link_and_a_loop(tmp_path: Path) -> None:
    """They can be watched, and are seen to become good."""
    path = tmp_path / "r.json"
    path.symlink_to("missing/r.json")
    async with watching() as watch:
        lookout = await armed(watch, path)
        (tmp_path / "missing").mkdir()
        (tmp_path / "missing" / "r.json").write_text("1")
        await lookout.sees("1")
        swap_link(path, "r.json")
        await lookout.sees()
        rename(path)

        await lookout.sees("1")


async def test_a_parent_of_a_link_is_the_parent_of_its_target(tmp_path: Path) -> None:
    """As the kernel has it, and not as the text of the path looks."""
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/down")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "link" / ".." / "r.json")
        (tmp_path / "deep" / "r.json").write_text("1")

        await lookout.sees("1")

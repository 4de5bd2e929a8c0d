import json
from pathlib import Path

import pytest

from bench.watching.ways import Producer, Way, cut
from bench.writer import report_bytes


@pytest.mark.parametrize("way", [way for way in Way if way is not Way.SLOW], ids=lambda way: way.value)
def test_a_way_makes_the_whole_new_content_seen(way: Way, tmp_path: Path) -> None:
    """At the path that is watched stands the newest change, and every change has its start."""
    producer = Producer(tmp_path, way, repos=3)
    for change in (1, 2, 3):
        producer.write()
        assert producer.path.read_bytes() == report_bytes(change, repos=3)

    assert producer.began_ns[1] < producer.began_ns[2] < producer.began_ns[3]


@pytest.mark.parametrize("way", [way for way in Way if way.is_atomic], ids=lambda way: way.value)
def test_what_was_replaced_goes(way: Way, tmp_path: Path) -> None:
    """However many changes there are, the folder does not grow."""
    producer = Producer(tmp_path, way, repos=1)
    producer.write()
    producer.write()
    before = len(list(tmp_path.iterdir()))
    for _ in range(5):
        producer.write()

    assert len(list(tmp_path.iterdir())) == before


@pytest.mark.parametrize(("way", "is_link"), [(Way.RENAME, False), (Way.SYMLINK, True), (Way.CONFIGMAP, True)])
def test_links_are_swapped_as_links(way: Way, is_link: bool, tmp_path: Path) -> None:
    """What a reader opens is a link where producers use one."""
    producer = Producer(tmp_path, way, repos=1)
    producer.write()
    producer.write()

    assert producer.path.is_symlink() is is_link


@pytest.mark.parametrize("way", [Way.CHUNKS, Way.SLOW], ids=lambda way: way.value)
def test_the_last_chunk_completes_the_report(way: Way) -> None:
    """Without its last piece a report is torn: so its clock may start there."""
    content = report_bytes(1, repos=50)
    count, _ = way.chunks
    pieces = cut(content, count)

    assert b"".join(pieces) == content
    assert len(pieces) == count
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(pieces[:-1]))


def test_the_slow_way_takes_two_seconds() -> None:
    """As its name says."""
    count, pause_s = Way.SLOW.chunks

    assert count * pause_s == pytest.approx(2)

"""The golden files, which the tests of the clients read too."""

import json
from typing import Any

import pytest
from reportcast.contracts.delta import apply
from reportcast.contracts.errors import DeltaError

from tests.golden.make import FILES, FOLDER, text_of


def entries(file: str) -> list[Any]:
    """Give what a file holds, by name."""
    return [pytest.param(entry, id=entry["name"]) for entry in json.loads((FOLDER / file).read_text())]


@pytest.mark.parametrize("file", FILES)
def test_the_files_are_what_is_made(file: str) -> None:
    """``make golden`` would change nothing."""
    assert (FOLDER / file).read_text() == text_of(FILES[file]())


@pytest.mark.parametrize("entry", entries("deltas.json"))
def test_a_delta_gives_what_is_written(entry: dict[str, str]) -> None:
    """Byte for byte."""
    assert apply(entry["delta"].encode(), entry["before"].encode()) == entry["after"].encode()


@pytest.mark.parametrize("entry", entries("refused.json"))
def test_what_must_be_refused(entry: dict[str, str]) -> None:
    """Is, with a sentence."""
    with pytest.raises(DeltaError, match=r"\w+ \w+"):
        apply(entry["delta"].encode(), entry["body"].encode())


def test_the_names_are_distinct() -> None:
    """So that one can be asked for."""
    for file in FILES:
        names = [entry["name"] for entry in json.loads((FOLDER / file).read_text())]
        assert len(set(names)) == len(names)


# RFC 7386, appendix A, and RFC 6902, appendix A, in their order: what comes out, by hand.
RESULTS: dict[str, Any] = {
    "RFC 7386, appendix A, 1": {"a": "c"},
    "RFC 7386, appendix A, 2": {"a": "b", "b": "c"},
    "RFC 7386, appendix A, 3": {},
    "RFC 7386, appendix A, 4": {"b": "c"},
    "RFC 7386, appendix A, 5": {"a": "c"},
    "RFC 7386, appendix A, 6": {"a": ["b"]},
    "RFC 7386, appendix A, 7": {"a": {"b": "d"}},
    "RFC 7386, appendix A, 8": {"a": [1]},
    "RFC 7386, appendix A, 9": ["c", "d"],
    "RFC 7386, appendix A, 10": ["c"],
    "RFC 7386, appendix A, 11": None,
    "RFC 7386, appendix A, 12": "bar",
    "RFC 7386, appendix A, 13": {"e": None, "a": 1},
    "RFC 7386, appendix A, 14": {"a": "b"},
    "RFC 7386, appendix A, 15": {"a": {"bb": {}}},
    "RFC 6902, A.1": {"baz": "qux", "foo": "bar"},
    "RFC 6902, A.2": {"foo": ["bar", "qux", "baz"]},
    "RFC 6902, A.3": {"foo": "bar"},
    "RFC 6902, A.4": {"foo": ["bar", "baz"]},
    "RFC 6902, A.5": {"baz": "boo", "foo": "bar"},
    "RFC 6902, A.10": {"foo": "bar", "child": {"grandchild": {}}},
    "RFC 6902, A.11": {"foo": "bar", "baz": "qux"},
    "RFC 6902, A.14, with replace": {"/": 9, "~1": 11},
    "RFC 6902, A.16": {"foo": ["bar", ["abc", "def"]]},
}


def test_the_examples_of_the_specifications() -> None:
    """Come out as they say."""
    made = {entry["name"]: json.loads(entry["after"]) for entry in json.loads((FOLDER / "deltas.json").read_text())}

    assert {name: made[name] for name in made if name.startswith("RFC")} == RESULTS

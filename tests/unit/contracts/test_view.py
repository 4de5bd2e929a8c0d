"""Views: some repositories of an audit report, and all else as it is written."""

import fnmatch
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts import view as viewing
from reportcast.contracts.view import Filter, view

from tests.golden.cases import OLD, A, B, audit

NAMES = st.text("ab", max_size=5)
STATES = st.sampled_from(["clean", "dirty", "missing"])
REPOS = st.lists(
    st.fixed_dictionaries({"name": NAMES, "status": STATES})
    | st.fixed_dictionaries({"name": NAMES, "uncommittedChanges": st.booleans()})
)


def state(repo: dict[str, object]) -> object:
    """Give what a repository's state is."""
    return repo.get("status", "dirty" if repo.get("uncommittedChanges") else "clean")


@given(REPOS, st.frozensets(STATES), st.frozensets(st.text("ab*", max_size=5), max_size=3), st.sampled_from([None, 1]))
def test_the_repositories_that_fit_both(
    repos: list[dict[str, object]], statuses: frozenset[str], names: frozenset[str], indent: int | None
) -> None:
    """In their order, and nothing else is changed."""
    report = {"timestamp": "t", "repos": repos, "x": [1.0, "repos"]}

    made = view(json.dumps(report, indent=indent).encode(), Filter(statuses, names))

    wanted = [
        repo
        for repo in repos
        if (not statuses or state(repo) in statuses)
        and (not names or any(fnmatch.fnmatchcase(str(repo["name"]), name) for name in names))
    ]
    assert json.loads(made) == {**report, "repos": wanted}


@given(REPOS, st.frozensets(STATES), st.frozensets(NAMES, max_size=3))
def test_a_view_of_a_view_is_the_view(
    repos: list[dict[str, object]], statuses: frozenset[str], names: frozenset[str]
) -> None:
    """The same filter takes nothing more away."""
    body = json.dumps({"timestamp": "t", "repos": repos}, separators=(",", ":")).encode()
    which = Filter(statuses, names)

    assert view(view(body, which), which) == view(body, which)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"timestamp":"","repos":{}}', "[" * 5000, '{"repos":[{"name":1}]}'])
def test_what_is_no_audit_report_stays(text: str) -> None:
    """There is nothing to take away."""
    assert view(text.encode(), Filter(names=frozenset(["a"]))) == text.encode()


def test_equal_filters_are_one() -> None:
    """A gateway makes one view for all who ask for the same."""
    assert len({Filter(frozenset(["a", "b"]), frozenset()), Filter(frozenset(["b", "a"]))}) == 1


def test_a_report_of_many_other_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is walked through instead of being taken apart."""
    monkeypatch.setattr(viewing, "MAX_PARTS", 1)

    made = view(audit(A, B, OLD, more=',"x":1').encode(), Filter(names=frozenset(["b"])))

    assert made == audit(B, more=',"x":1').encode()


def test_a_hostile_pattern_takes_no_longer() -> None:
    """Where each star is tried at each place, this takes hours."""
    name = "a" * 10_000
    body = json.dumps({"timestamp": "", "repos": [{"name": name, "status": "x"}]}).encode()

    assert name.encode() not in view(body, Filter(names=frozenset(["*a" * 400 + "*b*a"])))


def test_a_view_of_16_mib_takes_little_memory() -> None:
    """The report is cut, not built."""
    repo = f'{{"name":"a","status":"clean","path":"{"x" * 300}"}}'
    body = audit(*[repo] * 45_000).encode()
    tracemalloc.start()
    made = view(body, Filter(statuses=frozenset(["clean"])))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert made == body
    assert peak < 6 * len(body)

"""The documents tell the truth about the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway.metrics import GatewayMetrics
from gateway.settings import GatewaySettings
from prometheus_client import CollectorRegistry
from reportcast import __version__
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.errors import ReportError
from reportcast.contracts.findings import FindingKind
from reportcast.service.http import Cuts
from standalone.up import StandaloneSettings
from watcher.metrics import REASONS, WatcherMetrics
from watcher.settings import WatcherSettings

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
PROTOCOL = (ROOT / "docs/protocol.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()


def section(document: str, heading: str) -> str:
    """Give what stands below a heading of the second level."""
    return document.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_column(table: str) -> set[str]:
    """Give the code words that begin the rows of a table."""
    return set(re.findall(r"^\| `?([\w]+)`? \|", table, re.MULTILINE))


def test_every_setting_is_documented() -> None:
    """With the default that the code has, and no other is."""
    fields = StandaloneSettings.model_fields | WatcherSettings.model_fields | GatewaySettings.model_fields
    table = section(OPERATIONS, "Settings")

    assert first_column(table) - {"variable"} == {name.upper() for name in fields}
    for name, field in fields.items():
        row = next(row for row in table.splitlines() if row.startswith(f"| `{name.upper()}` |"))
        if isinstance(field.default, bool):
            assert row.split("|")[2].strip() == str(field.default).lower(), row
        elif isinstance(field.default, int | float):
            assert float(row.split("|")[2]) == field.default, row


def test_every_metric_is_documented() -> None:
    """And no other is."""
    registry = CollectorRegistry()
    WatcherMetrics(registry)
    GatewayMetrics(registry)
    Cuts(registry, clock=lambda: 0.0)
    exposed = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()} | {
        "reportcast_build_info"
    }

    assert first_column(section(OPERATIONS, "Metrics")) - {"metric"} == exposed


def test_every_close_code_is_documented() -> None:
    """And no other is."""
    assert first_column(section(OPERATIONS, "Close codes")) - {"code"} == {str(code.value) for code in CloseCode}


def test_every_rejection_reason_is_documented_and_counted() -> None:
    """With whether it is waited for."""
    kinds = {kind.reason: kind.may_be_torn for kind in leaves(ReportError)}
    rows = re.findall(r"^\| `(\w+)` \| .* \| (yes|no) \|$", section(PROTOCOL, "Report"), re.MULTILINE)

    assert {reason: waited == "yes" for reason, waited in rows} == kinds
    # What is held is counted under the finding's own name.
    assert set(REASONS) == set(kinds) - {"held"} | set(FindingKind)


def leaves(kind: type[ReportError]) -> Iterator[type[ReportError]]:
    """Give the errors below ``kind`` that are raised."""
    for below in kind.__subclasses__():
        yield from leaves(below) if below.__subclasses__() else [below]


def test_every_finding_is_documented() -> None:
    """And no other is."""
    assert first_column(section(PROTOCOL, "Findings")) - {"kind"} == set(FindingKind)


def test_every_case_passed_the_torture() -> None:
    """Each of the 24 is in the table, and passed in all of its variants on all three file systems."""
    page = (ROOT / "docs/torture.md").read_text()
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in page.splitlines() if re.match(r"\| W\d+ ", row)]

    assert {row[0] for row in rows} == {f"W{number}" for number in range(1, 25)}
    assert {len(row) for row in rows} == {9}
    assert {result for row in rows for result in row[3::2]} == {"passed"}
    assert "\n24 of 24 on disk, tmpfs, overlay: " in page


def test_the_paths_of_the_architecture_exist() -> None:
    """Every path that it names in the table of places."""
    for path in re.findall(r"`([\w./-]+)`", section(ARCHITECTURE, "Where things live")):
        if "/" in path or path in {"demo", "bench", "ops", "Dockerfile"}:
            assert (ROOT / path).exists(), path


def test_the_proofs_of_the_invariants_exist() -> None:
    """Every test that is named beside an invariant."""
    named = set(re.findall(r"`(test_\w+)`", section(ARCHITECTURE, "What always holds")))
    defined = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert named
    assert named - defined == set()


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_links_lead_somewhere(document: str) -> None:
    """Every relative link."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), target


def test_every_source_that_the_code_cites_exists() -> None:
    """``Source: docs/x.md, Heading.`` names a heading of that document."""
    for path in [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]:
        for document, heading in re.findall(r"Source: (docs/[\w/]+\.md), ([\w ]+)\.", path.read_text()):
            assert f"\n## {heading}\n" in (ROOT / document).read_text(), f"{path}: {document}, {heading}"


def test_the_members_have_one_version() -> None:
    """All packages are released together."""
    for member in [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]:
        assert f'\nversion = "{__version__}"\n' in member.read_text()

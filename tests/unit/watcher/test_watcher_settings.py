from pathlib import Path

import pytest
from reportcast.contracts.report import ReportKind, kind_of
from reportcast.service.settings import SettingsError, load_settings
from watcher.settings import SourceSettings


def load(**environ: str) -> SourceSettings:
    """Load the settings."""
    return load_settings(SourceSettings, environ)


def test_one_report() -> None:
    """Is the audit's."""
    assert load().channels == {"audit": Path("output/GitRepoReport.json")}
    assert load(REPORT_FILE="/a/r.json").channels == {"audit": Path("/a/r.json")}


def test_many_reports() -> None:
    """Each has a channel; the kind follows from its name."""
    settings = load(REPORTS="audit=/a/r.json, dns = /a/dns-*.json,audit-east=/b/r=1.json")

    assert settings.channels == {
        "audit": Path("/a/r.json"),
        "dns": Path("/a/dns-*.json"),
        "audit-east": Path("/b/r=1.json"),
    }
    assert [kind_of(channel) for channel in settings.channels] == [
        ReportKind.AUDIT,
        ReportKind.GENERIC,
        ReportKind.AUDIT,
    ]


def test_what_is_expected() -> None:
    """For all channels, for some, or for none."""
    many = {"REPORTS": "audit=/a/r.json,dns=/a/d.json"}
    assert load().expected_every_s("audit") is None
    assert load(REPORT_EXPECTED_EVERY_S="300").expected_every_s("audit") == 300
    mixed = load(**many, REPORT_EXPECTED_EVERY_S="60,dns=0")
    assert [mixed.expected_every_s(channel) for channel in ("audit", "dns")] == [60, 0]


def test_the_canary() -> None:
    """Comes every two seconds, or never; it may be beside a report."""
    assert load().report_canary_s == 2
    assert load(REPORT_CANARY_S="0").report_canary_s == 0
    beside = load(REPORTS="a=/a/c-*.json", REPORT_CANARY_FILE="/a/canary.json")
    assert beside.report_canary_file == Path("/a/canary.json")


def test_where_the_history_is() -> None:
    """The audit's in the folder itself, as existing tools have it, others' in one of their name."""
    settings = load(HISTORY_DIR="/h", REPORTS="audit=/a/r.json,dns=/a/d.json")

    assert [settings.history_of(channel) for channel in settings.channels] == [Path("/h"), Path("/h/dns")]
    assert load().history_of("audit") is None


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({"REPORTS": "/a/r.json"}, "'/a/r.json' names no channel; expected channel=path", id="no-channel"),
        pytest.param({"REPORTS": "a/b=/r.json"}, "'a/b' is no name", id="bad-channel"),
        pytest.param({"REPORTS": "rejected=/r.json"}, "names the folder of rejected contents", id="rejected"),
        pytest.param({"REPORTS": "a=/x,a=/y"}, "a is given twice", id="twice"),
        pytest.param({"REPORTS": "a=/*/r.json"}, "in the last part of a path alone", id="pattern-in-a-folder"),
        pytest.param({"REPORTS": "a="}, "the path of 'a' is empty; expected channel=path", id="no-path"),
        pytest.param({"REPORTS": "a=."}, "is no file", id="folder"),
        pytest.param({"REPORTS": ","}, "REPORTS is ',': it names no report; expected channel=path", id="nothing"),
        pytest.param({"REPORTS": "a=/x", "REPORT_FILE": "/y"}, "REPORTS and REPORT_FILE are both set", id="both"),
        pytest.param({"REPORT_HOLD": "everything"}, "'everything' is no finding; expected some of", id="hold"),
        pytest.param({"REPORT_EXPECTED_EVERY_S": "dns=3"}, "names 'dns', which is no channel", id="unknown-channel"),
        pytest.param({"REPORT_EXPECTED_EVERY_S": "-1"}, "greater than or equal to 0", id="negative"),
        pytest.param({"REPORT_EXPECTED_EVERY_S": "nan"}, "input should be a finite number", id="nan"),
        pytest.param({"HISTORY_MAX_AGE_S": "inf"}, "input should be a finite number", id="infinite-age"),
        pytest.param({"HISTORY_MAX_AGE_S": "1e300"}, "less than or equal to 31622400000", id="age-of-no-calendar"),
        pytest.param({"REPORTS": "_canary=/r.json"}, "'_canary' is the self-probe's own; choose another", id="canary"),
        pytest.param({"REPORT_CANARY_S": "0.01"}, "it is too often; 0, or at least 0.1 is allowed", id="too-often"),
        pytest.param({"REPORT_CANARY_S": "61"}, "less than or equal to 60", id="too-seldom"),
        pytest.param({"REPORT_CANARY_FILE": "."}, "REPORT_CANARY_FILE is '.', which is no file", id="canary-no-file"),
        pytest.param(
            {"REPORTS": "a=/a/c-*.json", "REPORT_CANARY_FILE": "/a/c-1.json"},
            "would be taken for the report of 'a'; name another file",
            id="canary-over-a-report",
        ),
        pytest.param(
            {"HISTORY_DIR": "/h", "REPORT_CANARY_FILE": "/h/c.json"},
            "REPORT_CANARY_FILE is in '/h', where HISTORY_DIR keeps reports",
            id="canary-in-the-history",
        ),
        pytest.param({"REPORT_EXPECTED_EVERY_S": "1,2"}, "the value for all channels is given twice", id="two-values"),
    ],
)
def test_wrong(environ: dict[str, str], words: str) -> None:
    """One sentence says what, and what is allowed."""
    with pytest.raises(SettingsError, match=r"^[^\n]+$") as caught:
        load(**environ)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param("audit=history/r.json", id="its-own"),
        pytest.param("audit=history/r-*.json", id="its-own-by-pattern"),
        pytest.param("audit=history/rejected/r.json", id="its-rejected"),
        pytest.param("audit=a.json,dns=history/d.json", id="another-channels"),
        pytest.param("audit=history/dns/a.json,dns=d.json", id="another-channels-below"),
        pytest.param("audit=a.json,dns=history/dns/rejected/d.json", id="rejected-below"),
        pytest.param("audit=link.json", id="symlink-to-a-file"),
        pytest.param("audit=folder/r.json", id="symlink-to-the-folder"),
        pytest.param("audit=history/out.json", id="symlink-in-the-folder"),
    ],
)
def test_the_history_has_a_folder_of_its_own(tmp_path: Path, reports: str) -> None:
    """No file of any channel is in, or leads into, a folder whose files are pruned; whether they exist or not."""
    (tmp_path / "history").mkdir()
    (tmp_path / "link.json").symlink_to("history/latest.json")
    (tmp_path / "folder").symlink_to("history")
    (tmp_path / "history" / "out.json").symlink_to("../r.json")

    with pytest.raises(SettingsError, match=r"where the report of '\w+' is; it has to be a folder of its own$"):
        load(HISTORY_DIR=str(tmp_path / "history"), REPORTS=reports.replace("=", f"={tmp_path}/"))


def test_a_report_beside_the_history_is_allowed(tmp_path: Path) -> None:
    """And one in a folder of HISTORY_DIR in which nothing is kept."""
    history, reports = tmp_path / "history", f"audit={tmp_path}/a.json,dns={tmp_path}/history/other/d.json"

    assert load(HISTORY_DIR=str(history), REPORTS=reports).history_of("audit") == history

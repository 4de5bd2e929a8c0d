"""The watcher's settings."""

import fnmatch
import glob
import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from reportcast.broker.keys import keys_of
from reportcast.contracts.channels import AUDIT, check_free
from reportcast.contracts.findings import FindingKind
from reportcast.service.settings import CommaSeparated, RedisSettings, Settings

# The folder of rejected contents in that of a channel's history.
REJECTED = "rejected"
# A canary that is written more often costs more than what it watches over.
LEAST_CANARY_S = 0.1
_FORM = "expected channel=path, separated by commas"
Interval = Annotated[float, Field(ge=0, le=366 * 86400.0, allow_inf_nan=False)]


def _pairs(value: Any) -> Any:
    """Read ``a=1,b=2``; a lone value stands for every channel."""
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in value.split(","))):
        name, is_pair, given = item.rpartition("=") if "=" not in item else item.partition("=")
        if name.strip() in pairs:
            raise ValueError(f"{name.strip() or 'the value for all channels'} is given twice")
        pairs[name.strip() if is_pair else ""] = given.strip()
    return pairs


def _paths(value: Any) -> Any:
    """Read ``a=path,b=path``."""
    pairs = _pairs(value)
    for channel, path in pairs.items() if isinstance(pairs, dict) else ():
        if channel and path == "":  # else it would be a path, the present folder
            raise ValueError(f"the path of {channel!r} is empty; {_FORM}")
    return pairs


class SourceSettings(Settings):
    """What is watched, and how it is read; the standalone server shares these."""

    prefixes: ClassVar[tuple[str, ...]] = ("REPORT_", "HISTORY_")

    report_file: Path = Field(Path("output/GitRepoReport.json"), description="the report file to watch")
    reports: Annotated[dict[str, Path], BeforeValidator(_paths)] = Field(
        {},
        description="several reports instead: channel=path, separated by commas; a path may end in a pattern",
    )
    report_max_bytes: int = Field(
        16 * 1024 * 1024, ge=1, le=256 * 1024 * 1024, description="a larger file is not read, bytes"
    )
    report_settle_s: float = Field(
        3.0, gt=0, le=3600, description="an unfinished file this long without a change is rejected, seconds"
    )
    report_sweep_s: float = Field(
        5.0, ge=0.1, le=3600, description="how often the file is read without a file-system event, seconds"
    )
    report_poll_s: float = Field(
        0.5, ge=0.05, le=3600, description="how often the file is looked at where events cannot be had, seconds"
    )
    report_hold: CommaSeparated = Field(
        (), description=f"findings with which a report is held, not flagged: {', '.join(FindingKind)}"
    )
    report_expected_every_s: Annotated[dict[str, Interval], BeforeValidator(_pairs)] = Field(
        {}, description="how often a report comes, or channel=seconds,...; 0: nothing is expected; learnt when unset"
    )
    report_canary_s: float = Field(
        2.0,
        ge=0,
        le=60,
        description="how often a canary is published for the self-probe, seconds; 0: never",
    )
    report_canary_file: Path | None = Field(
        None, description="the file that it is written to; in a folder of its own for temporary files when unset"
    )
    history_dir: Path | None = Field(
        None, description="where published and rejected reports are kept; in the broker alone when unset"
    )
    history_max_reports: int = Field(1000, ge=1, le=1_000_000, description="reports kept in HISTORY_DIR")
    history_max_age_s: float = Field(
        90 * 86400.0,
        gt=0,
        le=1000 * 366 * 86400.0,
        allow_inf_nan=False,
        description="older reports are removed from HISTORY_DIR, seconds",
    )

    @property
    def channels(self) -> dict[str, Path]:
        """Where the report of each channel is."""
        return self.reports or {AUDIT: self.report_file}

    def expected_every_s(self, channel: str) -> float | None:
        """Give what was set for a channel; ``None``: to be learnt."""
        return self.report_expected_every_s.get(channel, self.report_expected_every_s.get(""))

    def history_of(self, channel: str) -> Path | None:
        """Give the directory of a channel: HISTORY_DIR itself for ``audit``, as existing tools have it."""
        return self.history_dir and (self.history_dir if channel == AUDIT else self.history_dir / channel)

    @field_validator("reports")
    @classmethod
    def _check_reports(cls, reports: dict[str, Path]) -> dict[str, Path]:
        if not reports:
            raise ValueError(f"it names no report; {_FORM}")
        for channel, path in reports.items():
            if not channel:
                raise ValueError(f"{str(path)!r} names no channel; {_FORM}")
            if not path.name or glob.has_magic(str(path.parent)):
                raise ValueError(f"{str(path)!r} is no file; a pattern is allowed in the last part of a path alone")
            keys_of(check_free(channel))
            if channel == REJECTED:
                raise ValueError(f"{channel!r} names the folder of rejected contents; choose another name")
        return reports

    @field_validator("report_canary_s")
    @classmethod
    def _check_canary(cls, every_s: float) -> float:
        if 0 < every_s < LEAST_CANARY_S:
            raise ValueError(f"it is too often; 0, or at least {LEAST_CANARY_S:g} is allowed")
        return every_s

    @field_validator("report_hold")
    @classmethod
    def _check_hold(cls, hold: tuple[str, ...]) -> tuple[str, ...]:
        for kind in hold:
            if kind not in list(FindingKind):
                raise ValueError(f"{kind!r} is no finding; expected some of {', '.join(FindingKind)}")
        return hold

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if {"reports", "report_file"} <= self.model_fields_set:
            raise ValueError("REPORTS and REPORT_FILE are both set; set one of them")
        unknown = self.report_expected_every_s.keys() - self.channels.keys() - {""}
        if unknown:
            raise ValueError(f"REPORT_EXPECTED_EVERY_S names {min(unknown)!r}, which is no channel of REPORTS")
        self._check_history()
        if self.report_canary_file:
            self._check_canary_file(self.report_canary_file)
        return self

    @property
    def _histories(self) -> set[str]:
        """The folders in which nothing else can be, because what is too much in them is removed."""
        histories = [kept for channel in self.channels if (kept := self.history_of(channel))]
        return {os.path.realpath(folder) for kept in histories for folder in (kept, kept / REJECTED)}

    def _check_canary_file(self, file: Path) -> None:
        folder = os.path.realpath(file.parent)
        if not file.name:
            raise ValueError(f"REPORT_CANARY_FILE is {str(file)!r}, which is no file")
        if folder in self._histories:
            raise ValueError(f"REPORT_CANARY_FILE is in {folder!a}, where HISTORY_DIR keeps reports; name another file")
        for channel, path in self.channels.items():
            if os.path.realpath(path.parent) == folder and fnmatch.fnmatchcase(file.name, path.name):
                raise ValueError(f"REPORT_CANARY_FILE would be taken for the report of {channel!r}; name another file")

    def _check_history(self) -> None:
        own = self._histories
        for channel, path in self.channels.items():
            # Both the folder that it is named in and, if it is a symlink, the one that it leads to.
            for written in (os.path.realpath(path.parent), os.path.dirname(os.path.realpath(path))):
                if written in own:
                    what = f"HISTORY_DIR would keep reports or rejected contents in {written!a}"
                    raise ValueError(f"{what}, where the report of {channel!r} is; it has to be a folder of its own")


class WatcherSettings(SourceSettings, RedisSettings):
    """All that the watcher can be told."""

    prefixes: ClassVar[tuple[str, ...]] = ("REPORT_", "HISTORY_", "WATCHER_")

    watcher_host: str = Field("127.0.0.1", description="address that the watcher's endpoints listen on")
    watcher_port: int = Field(9101, ge=0, le=65535, description="port of /healthz, /readyz and /metrics; 0: any")

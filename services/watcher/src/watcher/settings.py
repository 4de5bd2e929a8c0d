"""The watcher's settings."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from reportcast.service.settings import RedisSettings, Settings


class SourceSettings(Settings):
    """What is watched, and how it is read; the standalone server shares these."""

    prefixes: ClassVar[tuple[str, ...]] = ("REPORT_", "HISTORY_")

    report_file: Path = Field(Path("output/GitRepoReport.json"), description="the report file to watch")
    report_max_bytes: int = Field(
        16 * 1024 * 1024, ge=1, le=256 * 1024 * 1024, description="a larger file is not read, bytes"
    )
    report_settle_s: float = Field(
        3.0, gt=0, le=3600, description="an unfinished file this long without a change is rejected, seconds"
    )
    report_sweep_s: float = Field(
        3.0, ge=0.1, le=3600, description="how often the file is read without a file-system event, seconds"
    )
    history_dir: Path | None = Field(
        None, description="reserved: not written yet, history is kept in the broker alone; a warning says so"
    )


class WatcherSettings(SourceSettings, RedisSettings):
    """All that the watcher can be told."""

    prefixes: ClassVar[tuple[str, ...]] = ("REPORT_", "HISTORY_", "WATCHER_")

    watcher_host: str = Field("127.0.0.1", description="address that the watcher's endpoints listen on")
    watcher_port: int = Field(9101, ge=0, le=65535, description="port of /healthz, /readyz and /metrics; 0: any")

"""The real compose project, under a name and on a port of its own."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
REPORT = "GitRepoReport.json"

# The first build installs every package; afterwards it takes seconds.
COMMAND_S = 600


class ComposeProject:
    """
    Redis, a watcher, gateways and nginx, on a copy of the sample report.

    Args:
        name: Of the project; no other may run under it.
        folder: Becomes the report directory.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._report = folder / REPORT
        self.address = f"127.0.0.1:{free_port()}"
        # The watcher in the container is another user.
        folder.chmod(0o755)
        self.replace_report((ROOT / "demo" / "sample" / REPORT).read_bytes())
        self._environment = {
            **os.environ,  # noqa: TID251 - what docker needs of it
            "PORT": self.address.partition(":")[2],
            "REPORTS_DIR": str(folder),
            "GATEWAY_ADMIN_TOKEN": "",
            "GATEWAY_ALLOWED_ORIGINS": "",
        }

    def replace_report(self, body: bytes) -> None:
        """Write a temporary file beside the report, then rename it."""
        temporary = self._report.with_suffix(".tmp")
        temporary.write_bytes(body)
        temporary.chmod(0o644)
        temporary.rename(self._report)

    def build(self) -> None:
        self._compose("build", "--quiet")

    def up(self, gateways: int, watchers: int = 1) -> None:
        """Start what does not run, stop what is too many; returns when all are healthy."""
        scale = ("--scale", f"gateway={gateways}", "--scale", f"watcher={watchers}")
        try:
            self._compose("up", "--detach", "--wait", "--no-build", *scale)
        except AssertionError as failed:
            failed.add_note(self._compose("logs", "--tail", "50"))
            raise

    def down(self) -> None:
        """Remove all of it, the data and images too."""
        self._compose("down", "--volumes", "--rmi", "local", "--timeout", "5")

    def gateways(self) -> list[str]:
        """Give the container of each gateway that runs."""
        return self._compose("ps", "--quiet", "gateway").split()

    def watchers(self) -> list[str]:
        """Give the container of each watcher that runs."""
        return self._compose("ps", "--quiet", "watcher").split()

    def run_in(self, container: str, script: str) -> str:
        """Run Python in a container; give what it prints."""
        return self._docker("exec", container, "python", "-c", script).strip()

    def logged(self, service: str) -> list[dict[str, Any]]:
        """Give what all containers of a service have logged."""
        lines = self._compose("logs", "--no-color", "--no-log-prefix", service).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def gateway_address(self, container: str) -> str:
        """Give where one gateway answers, past nginx."""
        return self._docker("port", container, "8080/tcp").strip()

    def kill(self, container: str) -> None:
        """End one container with SIGKILL; it stays down until ``up``."""
        self._docker("kill", container)

    def _compose(self, *arguments: str) -> str:
        files = ["--file", "compose.yaml", "--file", "tests/support/compose.yaml"]
        return self._docker("compose", "--project-name", self._name, *files, *arguments)

    def _docker(self, *arguments: str) -> str:
        docker = shutil.which("docker")
        assert docker is not None
        done = subprocess.run(
            [docker, *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_S,
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr[-4000:]}"
        return done.stdout

"""Whether the tests marked ``containers`` can run here: the only tests that may be skipped."""

import os
import shutil
import subprocess

import pytest


def require_engine() -> None:
    """Skip the test where no Docker engine with Compose v2 answers; in CI, fail, for there it has to be."""
    missing = missing_engine()
    if missing is None:
        return
    if os.environ.get("CI") == "true":  # noqa: TID251 - a setting of the test run, not of a service
        pytest.fail(f"the tests marked containers must run in CI, but {missing}")
    pytest.skip(missing)


def missing_engine() -> str | None:
    """Say what is missing to run containers; ``None`` when nothing is."""
    if shutil.which("docker") is None:
        return "there is no docker command on the PATH"
    if error := _error_of("docker", "version", "--format", "{{.Server.Version}}"):
        return f"no Docker engine answers: {error}"
    if error := _error_of("docker", "compose", "version"):
        return f"docker has no compose command: {error}"
    return None


def _error_of(*command: str) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return None if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"

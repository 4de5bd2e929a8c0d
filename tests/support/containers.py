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
    if error := _error_of("version", "--format", "{{.Server.Version}}"):
        return f"no Docker engine answers: {error}"
    if error := _error_of("compose", "version"):
        return f"docker has no compose command: {error}"
    return None


def can_run(image: str) -> bool:
    """Tell whether an engine answers and has the image, or gets it."""
    if missing_engine() is not None:
        return False
    return _error_of("image", "inspect", image) is None or _error_of("pull", "--quiet", image, timeout_s=120) is None


def _error_of(*arguments: str, timeout_s: float = 30) -> str | None:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return f"no answer in {timeout_s:g} s"
    return None if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"

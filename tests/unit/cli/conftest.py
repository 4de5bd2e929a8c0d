import pytest

from tests.support.cli import Shell


@pytest.fixture
def reportcast(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run the command in this process."""
    return Shell(capsys)

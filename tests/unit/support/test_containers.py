import pytest

from tests.support.containers import require_engine


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("no_docker")
def test_container_tests_are_skipped_on_a_machine_without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what is missing."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no docker command"):
        require_engine()


@pytest.mark.usefixtures("no_docker")
def test_container_tests_fail_in_ci_without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out in silence where everything has to run."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="no docker command"):
        require_engine()

import json
import subprocess
import sys

import pytest
import structlog
from reportcast.service.descriptors import FREE, connection_limit, for_http, raise_limit

RAISED = """
import json, resource
from reportcast.service.descriptors import connection_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 800))
limit = connection_limit(600)
print(json.dumps([limit, *resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""


@pytest.mark.parametrize(
    ("asked", "workers", "nofile", "expected"),
    [
        pytest.param(50_000, 1, 65_536, 50_000, id="enough"),
        pytest.param(50_000, 1, 50_512, 50_000, id="just-enough"),
        pytest.param(50_000, 1, 50_511, 49_999, id="one-short"),
        pytest.param(50_000, 1, 1024, 832, id="usual"),
        pytest.param(50_000, 4, 1024, 3328, id="each-process-has-its-own"),
        pytest.param(10, 4, 1024, 10, id="fewer-asked"),
        pytest.param(50_000, 2, 60, 2, id="next-to-none"),
    ],
)
def test_the_effective_limit(asked: int, workers: int, nofile: int, expected: int) -> None:
    """What is asked for, as far as the descriptors reach; a warning says when they do not."""
    with structlog.testing.capture_logs() as logs:
        assert connection_limit(asked, workers, nofile) == expected

    lowered = [{key: entry[key] for key in ("event", "asked", "effective", "nofile")} for entry in logs]
    warning = {"event": "connection limit lowered", "asked": asked, "effective": expected, "nofile": nofile}
    assert lowered == ([] if expected == asked else [warning])


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    """At the start, and counted with: no warning where that is enough."""
    run = subprocess.run([sys.executable, "-c", RAISED], check=True, timeout=30, capture_output=True, text=True)

    assert json.loads(run.stdout) == [600, 800, 800]


def test_requests_get_their_part() -> None:
    """Beside what is kept free; and this process has what it may have."""
    assert (for_http(1024), for_http(1_048_576)) == (128, 448)
    assert FREE < raise_limit() <= 1_048_576

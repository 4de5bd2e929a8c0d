import pytest

# An assertion of what tests share says as much when it fails as one of a test.
pytest.register_assert_rewrite("tests.support")

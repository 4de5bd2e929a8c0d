"""What a refusal says."""

import pytest
from reportcast.contracts.delta import apply
from reportcast.contracts.errors import DeltaError


def test_the_key_that_stands_twice_is_named() -> None:
    """Not the one behind it."""
    with pytest.raises(DeltaError, match=r"^the key 'a' stands twice"):
        apply(b'{"format":"merge-patch","patch":{"c":1}}', b'{"a":1,"a":1,"b":2}')

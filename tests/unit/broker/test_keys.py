import pytest
from reportcast.broker.keys import keys_of


def test_all_keys_of_a_channel_live_on_one_node() -> None:
    """They share a hash tag, and no two are the same."""
    keys = keys_of("audit")
    names = [getattr(keys, name) for name in keys.__slots__]

    assert all(name.startswith("reportcast:{audit}:") for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("channel", ["", "a b", "a{b}", "x" * 65, "a:b"])
def test_what_is_no_channel(channel: str) -> None:
    """A name that would break out of the keys is refused."""
    with pytest.raises(ValueError, match="is no name"):
        keys_of(channel)

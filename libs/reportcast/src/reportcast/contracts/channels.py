"""Names of the channels."""

# The report of homelab-gitops-auditor; the contract's endpoints are of this one.
AUDIT = "audit"
# What watchers write themselves, so that every hop can be seen to work. Source: docs/protocol.md, Canary.
CANARY = "_canary"


def is_audit(channel: str) -> bool:
    """Tell whether a channel's reports are audit reports. Source: docs/protocol.md, Report."""
    return channel == AUDIT or channel.startswith(f"{AUDIT}-")


def check_free(channel: str) -> str:
    """
    Give the name back, if a report may have it.

    Raises:
        ValueError: If it is the canary's.
    """
    if channel == CANARY:
        raise ValueError(f"channel {channel!r} is the self-probe's own; choose another name")
    return channel

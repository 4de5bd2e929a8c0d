"""Names of the channels."""

# The report of homelab-gitops-auditor; the contract's endpoints are of this one.
AUDIT = "audit"


def is_audit(channel: str) -> bool:
    """Tell whether a channel's reports are audit reports. Source: docs/protocol.md, Report."""
    return channel == AUDIT or channel.startswith(f"{AUDIT}-")

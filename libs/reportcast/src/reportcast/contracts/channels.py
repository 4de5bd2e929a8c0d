"""Names of the channels."""

# The report of homelab-gitops-auditor; the contract's endpoints are of this one.
AUDIT = "audit"

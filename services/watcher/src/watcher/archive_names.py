"""Names in HISTORY_DIR."""

# The folder of rejected contents beside a channel's history.
REJECTED = "rejected"

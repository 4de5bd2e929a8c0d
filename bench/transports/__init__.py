"""What the transports cost beside one another, and how soon each has a change."""

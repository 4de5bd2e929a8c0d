"""What docs/capacity.md says: what was measured, what is computed of it, how it is told."""

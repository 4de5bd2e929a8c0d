"""Telling a person who waits."""

import sys


def progress(sentence: str) -> None:
    """Print a line to standard error."""
    print(f"bench: {sentence}", file=sys.stderr, flush=True)

"""Running what sets a peer up."""

import subprocess

from bench.watching.peers import PeerError


def run(*command: str) -> str:
    """
    Give what a command prints.

    Raises:
        PeerError: If it is not here, or fails; says why.
    """
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError as exc:
        raise PeerError(f"{command[0]} is not here; it is needed for a peer") from exc
    except subprocess.CalledProcessError as exc:
        raise PeerError(f"{' '.join(command)} failed: {exc.stderr.strip()[-400:]}") from exc

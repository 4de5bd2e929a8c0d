"""The programs in C, compiled where they are used."""

import subprocess
from pathlib import Path

SOURCES = Path(__file__).with_name("native")
COMPILER = ("gcc", "-O2", "-std=c11", "-Wall", "-Wextra")


def compile_load(folder: Path) -> Path:
    """Compile the load generator into ``folder``."""
    return _compiled(folder / "load", "load.c", "client.c", "ledger.c", libraries=("-lz",))


def compile_floor(folder: Path) -> Path:
    """Compile the floor into ``folder``."""
    return _compiled(folder / "floor", "floor.c")


def _compiled(program: Path, *sources: str, libraries: tuple[str, ...] = ()) -> Path:
    paths = [str(SOURCES / source) for source in sources]
    subprocess.run([*COMPILER, *paths, "-o", str(program), *libraries], check=True)
    return program

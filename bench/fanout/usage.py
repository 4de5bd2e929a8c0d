"""What a server uses, all of its processes together."""

import dataclasses
import re
from pathlib import Path

from bench.watching.usage import cpu_s


@dataclasses.dataclass(frozen=True, slots=True)
class Memory:
    """
    Bytes that are in memory.

    Attributes:
        resident: Of all processes.
        proportional: The same, with what they share counted once.
    """

    resident: int
    proportional: int

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.resident + other.resident, self.proportional + other.proportional)


def family(pid: int) -> list[int]:
    """Give a process and those that it started, and they; it has to be one with a single thread that starts any."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def family_cpu_s(pid: int) -> float:
    """Give the CPU time that they have used, user and system; to the ns."""
    return sum(cpu_s(member) for member in family(pid))


def family_memory(pid: int) -> Memory:
    """Give what they have in memory now."""
    rollups = [Path(f"/proc/{member}/smaps_rollup").read_text() for member in family(pid)]
    return sum(map(memory_of, rollups), Memory(0, 0))


def memory_of(rollup: str) -> Memory:
    """Read /proc/<pid>/smaps_rollup."""
    fields = dict(re.findall(r"^(\w+): +(\d+) kB$", rollup, re.MULTILINE))
    return Memory(int(fields["Rss"]) * 1024, int(fields["Pss"]) * 1024)

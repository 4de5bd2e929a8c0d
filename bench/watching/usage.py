"""What a process uses, by the kernel's own books."""

import re
import time
from pathlib import Path

# The clock of another process, as clock_getcpuclockid(3) makes it: the inverted number, and the scheduler's own count.
_CPU_CLOCK = 2


def cpu_s(pid: int) -> float:
    """Give the CPU time that a process has used, user and system, all threads that are or were; to the ns."""
    return time.clock_gettime_ns((~pid << 3) | _CPU_CLOCK) / 1e9


def resident_mib(pid: int) -> float:
    """Give the resident memory of a process now."""
    return memory_mib(Path(f"/proc/{pid}/status").read_text(), "VmRSS")


def peak_mib(pid: int) -> float:
    """Give the most resident memory that a process ever had."""
    return memory_mib(Path(f"/proc/{pid}/status").read_text(), "VmHWM")


def memory_mib(status: str, field: str) -> float:
    """Read a field of /proc/<pid>/status that is in kB."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, f"no {field} in {status!r}"
    return int(found[1]) / 1024

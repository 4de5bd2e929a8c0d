"""Real writers: what people and programs write files with."""

import asyncio
import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.torture.need import require
from tests.torture.places import Place


@dataclasses.dataclass(frozen=True)
class Writer:
    """
    A way of writing.

    Attributes:
        script: For bash; it makes the content of $SOURCE that of $REPORT. $FAR is a copy of $SOURCE on another file
            system, $WORK a folder beside that of the report, $STAMP a new name each time.
        tools: Commands that it needs.
    """

    script: str
    tools: tuple[str, ...] = ()


_IN_PIECES = """
import os, sys
content = open(os.environ["SOURCE"], "rb").read()
with open(os.environ["REPORT"], "wb", buffering=0) as file:
    for start in range(0, len(content), 32):
        file.write(content[start:start + 32])
"""
_DURABLY = """
import os
report = os.environ["REPORT"]
with open(report + ".tmp", "wb") as file:
    file.write(open(os.environ["SOURCE"], "rb").read())
    os.fsync(file.fileno())
os.replace(report + ".tmp", report)
"""
# As the kubelet does: a new folder, a new ..data link, and the file as a link through it.
_CONFIGMAP = """
mkdir "..$STAMP" && cp "$SOURCE" "..$STAMP/r.json" && ln -s "..$STAMP" ..data_tmp && mv -T ..data_tmp ..data
[ -L "$REPORT" ] || { ln -s ..data/r.json r.json.new && mv -T r.json.new "$REPORT"; }
"""
_GIT = """
export GIT_DIR="$WORK/repository" GIT_WORK_TREE="$PWD"
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x
[ -d "$GIT_DIR" ] || git init --quiet
blob=$(git hash-object -w "$SOURCE")
tree=$(printf '100644 blob %s\\tr.json\\n' "$blob" | git mktree)
git checkout --quiet --force "$(git commit-tree -m x "$tree")"
"""
# Cut to the end, insert the source, save, leave. nano wants a terminal, and throws away keys that come before it is up.
_NANO = """
export TERM=xterm
{ sleep 0.3; printf '\\033t'; printf '\\022%s\\r' "$SOURCE"; printf '\\017\\r'; printf '\\030'; sleep 0.3; } |
    timeout 5 script --quiet --return --command "nano --ignorercfiles $REPORT" /dev/null >/dev/null
"""
_VIM = """vim -Nu NONE -i NONE -n -es "$REPORT" -c 'set backupcopy={how}' -c '%d' -c "0r $SOURCE" -c wq"""

WRITERS = {
    "bash >": Writer('while IFS= read -r line; do echo "$line"; done <"$SOURCE" >"$REPORT"'),
    "bash >>": Writer(': >"$REPORT"; while IFS= read -r line; do echo "$line" >>"$REPORT"; done <"$SOURCE"'),
    "cp": Writer('cp "$SOURCE" "$REPORT"'),
    "cp --remove-destination": Writer('cp --remove-destination "$SOURCE" "$REPORT"'),
    "mv": Writer('cp "$SOURCE" "$REPORT.new" && mv "$REPORT.new" "$REPORT"'),
    "mv across file systems": Writer('mv "$FAR" "$REPORT"'),
    "install": Writer('install -m 644 "$SOURCE" "$REPORT"'),
    "ln -sf": Writer('cp "$SOURCE" "$STAMP.json" && ln -sf "$STAMP.json" "$REPORT"'),
    "ConfigMap": Writer(_CONFIGMAP),
    "tee": Writer('tee "$REPORT" <"$SOURCE" >/dev/null'),
    "dd": Writer('dd if="$SOURCE" of="$REPORT" bs=64 status=none'),
    "sed -i": Writer('sed -i -e "1r $SOURCE" -e d "$REPORT"'),
    "ed": Writer("""printf '%s\\n' '1,$d' "0r $SOURCE" w q | ed -s "$REPORT" """, ("ed",)),
    "vim, in place": Writer(_VIM.format(how="yes"), ("vim",)),
    "vim, by rename": Writer(_VIM.format(how="no"), ("vim",)),
    "nano": Writer(_NANO, ("nano", "script")),
    "rsync": Writer('rsync --ignore-times "$SOURCE" "$REPORT"', ("rsync",)),
    "rsync --inplace": Writer('rsync --ignore-times --inplace "$SOURCE" "$REPORT"', ("rsync",)),
    "git checkout": Writer(_GIT, ("git",)),
    "python, in pieces": Writer(f"\"$PYTHON\" -c '{_IN_PIECES}'"),
    "python, os.replace": Writer(f"\"$PYTHON\" -c '{_DURABLY}'"),
}

_SLOWLY = """
import os, sys, time
source, report, pieces, lasts_s, part = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
content = open(source, "rb").read()
size = -(-len(content) // int(pieces))
with open(report, "wb", buffering=0) as file:
    for start in range(0, int(len(content) * part), size):
        file.write(content[start:start + size])
        time.sleep(lasts_s / pieces)
    if part < 1:
        print("half", flush=True)
        time.sleep(600)
"""


async def write(name: str, place: Place, raw: bytes, stamp: str) -> None:
    """Have a real writer make ``raw`` the report's content."""
    writer = WRITERS[name]
    require(*writer.tools)
    await asyncio.to_thread(_run, writer.script, place, raw, stamp)
    assert place.report.read_bytes().rstrip() == raw.rstrip(), f"{name} did not write what it should have"


async def bash(script: str, **variables: object) -> None:
    """Run a script in bash."""
    await asyncio.to_thread(_bash, script, {name: str(value) for name, value in variables.items()})


def slow_writer(place: Place, raw: bytes, *, pieces: int, lasts_s: float, part: float = 1) -> subprocess.Popen[bytes]:
    """
    Start a process that truncates the report and writes ``raw`` in pieces.

    Args:
        place: Where.
        raw: The whole content.
        pieces: How many.
        lasts_s: How long all of them take.
        part: After so much of it, the process says so in a line and writes no more.
    """
    source = place.work / "slow"
    source.write_bytes(raw)
    arguments = [str(each) for each in (source, place.report, pieces, lasts_s, part)]
    return subprocess.Popen([sys.executable, "-c", _SLOWLY, *arguments], stdout=subprocess.PIPE)


def _run(script: str, place: Place, raw: bytes, stamp: str) -> None:
    source, far = place.work / "source", place.far / "source"
    source.write_bytes(raw)
    shutil.copyfile(source, far)
    names = {"SOURCE": source, "FAR": far, "REPORT": place.report, "WORK": place.work, "PYTHON": sys.executable}
    _bash(script, {**{name: str(value) for name, value in names.items()}, "STAMP": stamp}, place.report.parent)


def _bash(script: str, variables: dict[str, str], folder: Path | None = None) -> None:
    environment = {**os.environ, **variables}  # noqa: TID251 - of a child, not a setting
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()

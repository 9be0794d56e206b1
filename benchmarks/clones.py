"""Measures first collections of git clones and mirrors and prints a Markdown table.

    python benchmarks/clones.py --rounds 5 path/to/clone path/to/mirror.git

Of each are measured, in processes of their own: the first report in it without a configuration,
whose store is removed beforehand; a report after that; and the first `collect` under a
configuration that names it. Beside these stands `git log` by itself: the very commands that the
collection has run, with what they read, as a git of ours before the real one notes them.
Rounds go through all of it and the import of the libraries in turn, so that a machine whose speed
varies treats them alike; medians are given, and what they are in times of git log and libraries.
"""

import argparse
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from measure import LIBRARIES, VPEMETRICS, Measurement, compile_package, measure

COLD, AGAIN, COLLECT, LOG = "report, cold", "report, again", "collect, cold", "git log"

_NOTING: Final = """#!/bin/sh
cat > "{notes}/$$.given"
printf '%s\\0' "$@" > "{notes}/$$.arguments"
exec "{git}" "$@" < "{notes}/$$.given"
"""


def stored_in(clone: Path) -> Path:
    """The folder of the clone's own store."""
    said = subprocess.run(
        ["git", "-C", clone, "rev-parse", "--absolute-git-dir"],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(said.stdout.strip()) / "vpemetrics"


def log_commands(clone: Path, place: Path) -> Iterator[tuple[str, ...]]:
    """The `git log` that a first report runs, each as a command of its own."""
    notes = place / f"{clone.name} notes"
    notes.mkdir()
    git = notes / "git"
    git.write_text(_NOTING.format(notes=notes, git=shutil.which("git")))
    git.chmod(0o700)
    environment = os.environ | {"PATH": f"{notes}:{os.environ['PATH']}"}
    shutil.rmtree(stored_in(clone), ignore_errors=True)
    subprocess.run(
        (*VPEMETRICS, "report"), cwd=clone, env=environment, check=True, capture_output=True
    )
    for noted in notes.glob("*.arguments"):
        arguments = noted.read_text().split("\0")[:-1]
        if "log" not in arguments:
            continue
        # Its own git directory was there for as long as it was read.
        kept = [one for one in arguments if not one.startswith("--git-dir=")]
        own = f"--git-dir={stored_in(clone).parent}"
        script = 'given=$1; shift; exec git "$@" < "$given"'
        yield ("sh", "-c", script, "sh", str(noted.with_suffix(".given")), own, *kept)


def configured(clone: Path, place: Path) -> Path:
    """A folder with a configuration that names a clone."""
    folder = place / f"{clone.name} configured"
    folder.mkdir()
    text = f'[sources.git]\ntype = "git"\npath = "{clone.resolve()}"\n'
    (folder / "vpemetrics.toml").write_text(text)
    return folder


def together(parts: Sequence[Measurement]) -> Measurement:
    """Several commands as one."""
    return Measurement(
        cpu=sum(one.cpu for one in parts),
        wall=sum(one.wall for one in parts),
        mebibytes=max(one.mebibytes for one in parts),
    )


Measured = Mapping[tuple[str, str], Sequence[Measurement]]


def measured(clones: Sequence[Path], rounds: int) -> Measured:
    """All measurements, by what was measured and how."""
    found = defaultdict(list)
    with TemporaryDirectory() as made:
        place = Path(made)
        logs = {clone: list(log_commands(clone, place)) for clone in clones}
        folders = {clone: configured(clone, place) for clone in clones}
        for _ in range(rounds):
            found["libraries", ""].append(measure((VPEMETRICS[0], "-c", LIBRARIES), place))
            for clone in clones:
                parts = [measure(command, place) for command in logs[clone]]
                found[clone.name, LOG].append(together(parts))
                shutil.rmtree(stored_in(clone), ignore_errors=True)
                for how in (COLD, AGAIN):
                    found[clone.name, how].append(measure((*VPEMETRICS, "report"), clone))
                for file in folders[clone].glob("vpemetrics.db*"):
                    file.unlink()
                found[clone.name, COLLECT].append(measure((*VPEMETRICS, "collect"), folders[clone]))
    return found


def main() -> None:
    """Measure every clone."""
    parser = argparse.ArgumentParser(description="Measure the report of git clones.")
    parser.add_argument("clones", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    compile_package()
    found = measured(arguments.clones, arguments.rounds)
    cpu = {key: median(one.cpu for one in runs) for key, runs in found.items()}
    libraries = cpu["libraries", ""]
    print(
        "| what | CPU seconds | fastest | ÷ (git log + libraries) | peak MiB |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    for (name, how), runs in found.items():
        fastest, peak = min(one.cpu for one in runs), max(one.mebibytes for one in runs)
        whole = libraries + cpu.get((name, LOG), 0)
        ratio = f"{cpu[name, how] / whole:.2f}" if how in (COLD, AGAIN, COLLECT) else ""
        print(f"| {name} {how} | {cpu[name, how]:.2f} | {fastest:.2f} | {ratio} | {peak:.0f} |")


if __name__ == "__main__":
    main()

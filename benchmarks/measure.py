"""Measures whole commands on a generated organisation and prints a Markdown table.

    python benchmarks/generate.py M /some/folder
    python benchmarks/measure.py /some/folder

Every step is a process of its own; time is the wall clock, memory the peak of that process.
The store is `measured.db` in the folder, made anew.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

STORE = "measured.db"
REPEATS = 3  # for what is quick; the best counts, the others are noise of the machine

VPEMETRICS = (sys.executable, "-m", "vpemetrics")
LIBRARIES = "import typer, rich.table, pydantic, sqlalchemy, pandas"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command to measure; `rows` are what it reads, where that is worth a rate."""

    title: str
    command: tuple[str, ...]
    repeats: int = 1
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Seconds on the wall clock and peak memory in MiB."""

    seconds: float
    mebibytes: float


def steps(folder: Path) -> Iterator[Step]:
    """The commands in the order they depend on each other."""

    def run(*arguments: str) -> tuple[str, ...]:
        return (*VPEMETRICS, *arguments, "--store", STORE)

    yield Step(
        title="import of the history",
        command=run("import", "history"),
        rows=rows_in(folder / "history"),
    )
    yield Step(title="first report, lineage of everything", command=run("report"))
    yield Step(title="report again", command=run("report"), repeats=REPEATS)
    yield Step(
        title="import of the new week",
        command=run("import", "new-week"),
        rows=rows_in(folder / "new-week"),
    )
    yield Step(title="report with the new week", command=run("report"))
    yield Step(title="report again", command=run("report"), repeats=REPEATS)
    yield Step(title="`recompute`", command=run("recompute"))
    yield Step(title="`--help`", command=(*VPEMETRICS, "--help"), repeats=REPEATS)
    yield Step(title="`report --help`", command=(*VPEMETRICS, "report", "--help"), repeats=REPEATS)
    yield Step(
        title=f"`python -c '{LIBRARIES}'`",
        command=(sys.executable, "-c", LIBRARIES),
        repeats=REPEATS,
    )


def rows_in(folder: Path) -> int:
    """Count the records in the files of a folder."""
    return sum(lines_in(file) - 1 for file in folder.glob("*.csv"))


def lines_in(file: Path) -> int:
    """Count the lines of a file, without holding them."""
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def measure(command: Sequence[str], folder: Path) -> Measurement:
    """Run a command in a folder. RuntimeError, with what it said, if it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said.decode(errors='replace')}")
    return Measurement(seconds=seconds, mebibytes=usage.ru_maxrss / 1024)


def row(step: Step, measured: Measurement) -> str:
    """The step's row of the table."""
    rate = f"{step.rows / measured.seconds:,.0f}" if step.rows else ""
    return f"| {step.title} | {measured.seconds:.2f} | {measured.mebibytes:.0f} | {rate} |"


def main() -> None:
    """Measure every step on a folder that `generate.py` wrote."""
    parser = argparse.ArgumentParser(description="Measure vpemetrics on a generated organisation.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for leftover in folder.glob(f"{STORE}*"):
        leftover.unlink()
    print("| what | seconds | peak MiB | rows/s |\n| --- | ---: | ---: | ---: |")
    for step in steps(folder):
        runs = [measure(step.command, folder) for _ in range(step.repeats)]
        print(row(step, min(runs, key=lambda run: run.seconds)), flush=True)


if __name__ == "__main__":
    main()

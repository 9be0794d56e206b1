"""Measures whole commands on a generated organisation and prints Markdown tables.

    python benchmarks/generate.py M /some/folder
    python benchmarks/measure.py /some/folder
    python benchmarks/measure.py /some/folder /the/same/as/monorepo

Every step is a process of its own: seconds of processor time (user and system), on the wall clock,
and the peak of its memory. What counts are the ratios of the second table, to yardsticks of the
same run: the libraries that every command imports, rows as quickly as SQLite takes them, and, where
a compiler is at hand, the floor in C++. The stores are made anew in the folder.
"""

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import vpemetrics

STORE: Final = "measured.db"
COMMITS: Final = "measured-commits.db"
REPEATS: Final = 3  # for what is quick; the best counts, the others are noise of the machine

VPEMETRICS: Final = (sys.executable, "-m", "vpemetrics")
LIBRARIES: Final = "import typer, rich.table, pydantic, sqlalchemy, numpy"
YARDSTICKS: Final = Path(__file__).parent / "yardsticks.py"
FLOOR: Final = Path(__file__).parent / "floor.cpp"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command to measure; `rows` are what it reads, where that is worth a rate."""

    title: str
    command: tuple[str, ...]
    repeats: int = 1
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Seconds of processor time, seconds on the wall clock, and peak memory in MiB."""

    cpu: float
    wall: float
    mebibytes: float


def steps(folder: Path) -> Iterator[Step]:
    """The commands in the order they depend on each other."""

    def run(*arguments: str, store: str = STORE) -> tuple[str, ...]:
        return (*VPEMETRICS, *arguments, "--store", store)

    libraries = (sys.executable, "-c", LIBRARIES)
    yield Step(title="libraries", command=libraries, repeats=REPEATS)
    yield Step(
        title="import of the commits", command=run("import", "history/commits.csv", store=COMMITS)
    )
    yield Step(
        title="import of the history",
        command=run("import", "history"),
        rows=rows_in(folder / "history"),
    )
    yield Step(title="first report, lineage of everything", command=run("report"))
    yield Step(
        title="import of the new week",
        command=run("import", "new-week"),
        rows=rows_in(folder / "new-week"),
    )
    yield Step(title="report with the new week", command=run("report"))
    yield Step(title="report", command=run("report"), repeats=REPEATS)
    page = ("-o", "measured.html")
    yield Step(title="page", command=run("report", *page), repeats=REPEATS)
    yield Step(title="explain of a figure", command=run("explain", "lead_time"), repeats=REPEATS)
    yield Step(title="`recompute`", command=run("recompute"))
    yield Step(title="`--help`", command=(*VPEMETRICS, "--help"), repeats=REPEATS)
    yield Step(title="`report --help`", command=(*VPEMETRICS, "report", "--help"), repeats=REPEATS)


def rows_in(folder: Path) -> int:
    """Count the records in the files of a folder."""
    return sum(lines_in(file) - 1 for file in folder.glob("*.csv"))


def lines_in(file: Path) -> int:
    """Count the lines of a file, without holding them."""
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def compile_package() -> None:
    """Compile the modules of vpemetrics, as pip does when it installs a package.

    Where Python is told to write no bytecode, an editable installation would be compiled anew by
    every command. https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-compile
    """
    for folder in vpemetrics.__path__:
        compileall.compile_dir(folder, quiet=1)


def measure(command: Sequence[str], folder: Path) -> Measurement:
    """Run a command in a folder. RuntimeError, with what it said, if it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said.decode(errors='replace')}")
    cpu = usage.ru_utime + usage.ru_stime
    return Measurement(cpu=cpu, wall=wall, mebibytes=usage.ru_maxrss / 1024)


def row(step: Step, measured: Measurement) -> str:
    """The step's row of the table."""
    rate = f"{step.rows / measured.cpu:,.0f}" if step.rows else ""
    numbers = f"{measured.cpu:.2f} | {measured.wall:.2f} | {measured.mebibytes:.0f}"
    return f"| {step.title} | {numbers} | {rate} |"


def inserted(folder: Path) -> Measurement:
    """Measure inserting the rows of a history by `executemany` alone."""
    rows = (sys.executable, str(YARDSTICKS), "rows", str(folder))
    said = subprocess.run(rows, check=True, capture_output=True, text=True).stdout
    seconds = float(said.split()[1])
    return Measurement(cpu=seconds, wall=seconds, mebibytes=0)


def floor(folder: Path) -> Measurement | None:
    """Measure the floor; None where there is no compiler."""
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return None
    with TemporaryDirectory(dir=folder) as place:
        program = str(Path(place) / "floor")
        build = (compiler, "-O2", "-std=c++17", "-o", program, str(FLOOR))
        subprocess.run(build, check=True)
        columns = (sys.executable, str(YARDSTICKS), "columns", str(folder), place)
        subprocess.run(columns, check=True)
        runs = [measure((program, place), folder) for _ in range(REPEATS)]
    return min(runs, key=lambda run: run.cpu)


def ratios(
    cpu: Mapping[str, float], peaks: Mapping[str, float], bytes_a_commit: float
) -> Iterator[tuple[str, float, str]]:
    """What is measured by yardsticks of the same run: its name, the ratio, the aim on M."""
    libraries, recompute = cpu["libraries"], cpu["`recompute`"]
    if "floor in C++" in cpu:
        ratio = (recompute - libraries) / cpu["floor in C++"]
        yield "(`recompute` − libraries) ÷ floor", ratio, "≤ 15"
    week = cpu["report with the new week"] - cpu["report"]
    yield "a new week into lineage ÷ `recompute`", week / recompute, "≤ 0.12"
    imported = cpu["rows by `executemany`"] / cpu["import of the history"]
    yield "import, rows per CPU second ÷ `executemany`", imported, "≥ 0.9"
    yield "report ÷ libraries", cpu["report"] / libraries, "≤ 1.6"
    yield "page ÷ libraries", cpu["page"] / libraries, "≤ 2.3"
    yield "store of commits, bytes each", bytes_a_commit, "≤ 70"
    yield "explain of a figure, peak MiB", peaks["explain of a figure"], "≤ 150"


def measure_all(folder: Path) -> dict[str, Measurement]:
    """Measure the yardsticks and every step on a folder, and print their table."""
    for leftover in (*folder.glob(f"{STORE}*"), *folder.glob(f"{COMMITS}*")):
        leftover.unlink()
    print("| what | CPU seconds | wall seconds | peak MiB | rows per CPU second |")
    print("| --- | ---: | ---: | ---: | ---: |")
    raw = Step(title="rows by `executemany`", command=(), rows=rows_in(folder / "history"))
    found = {raw.title: inserted(folder)}
    print(row(raw, found[raw.title]), flush=True)
    if (quickest := floor(folder)) is not None:
        found["floor in C++"] = quickest
        print(row(Step(title="floor in C++", command=()), quickest), flush=True)
    for step in steps(folder):
        runs = [measure(step.command, folder) for _ in range(step.repeats)]
        found[step.title] = min(runs, key=lambda run: run.cpu)
        print(row(step, found[step.title]), flush=True)
    return found


def print_ratios(folder: Path, found: Mapping[str, Measurement]) -> None:
    """Print the second table: what counts."""
    size = sum(file.stat().st_size for file in folder.glob(f"{COMMITS}*"))
    each = size / (lines_in(folder / "history" / "commits.csv") - 1)
    cpu = {title: measured.cpu for title, measured in found.items()}
    peaks = {title: measured.mebibytes for title, measured in found.items()}
    print("\n| ratio | measured | aim on M |\n| --- | ---: | ---: |")
    for title, ratio, aim in ratios(cpu, peaks, each):
        print(f"| {title} | {ratio:.3g} | {aim} |", flush=True)


def main() -> None:
    """Measure every step on folders that `generate.py` wrote."""
    parser = argparse.ArgumentParser(description="Measure vpemetrics on a generated organisation.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("monorepo", type=Path, nargs="?")
    arguments = parser.parse_args()
    compile_package()
    found = measure_all(arguments.folder.resolve())
    print_ratios(arguments.folder, found)
    if arguments.monorepo is not None:
        print()
        shared = measure_all(arguments.monorepo.resolve())
        print_ratios(arguments.monorepo, shared)
        ratio = shared["`recompute`"].cpu / found["`recompute`"].cpu
        print(f"| `recompute` ÷ as many repositories | {ratio:.3g} | ≤ 1.5 |")


if __name__ == "__main__":
    main()

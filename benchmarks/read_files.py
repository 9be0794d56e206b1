"""Measures what reading import files costs, beside what Python's csv module alone takes.

    python benchmarks/read_files.py FOLDER

Processor time of reading all CSV files of a folder as `vpemetrics import` does; nothing is saved.
Both are timed in turn, so that the ratio holds on a busy machine too.
"""

import argparse
import csv
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from vpemetrics.collectors.files.reading import read_columns

ROUNDS = 9


def main() -> None:
    """Print records, both times and their ratio."""
    parser = argparse.ArgumentParser(description="Measure the reading of import files.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    timings = [
        (_seconds(lambda: read_columns(folder)), _seconds(lambda: _rows(folder)))
        for _ in range(ROUNDS)
    ]
    reading, plain = (median(column) for column in zip(*timings, strict=True))
    count = sum(map(len, read_columns(folder)))
    print(
        f"{count:,} records in {reading:.2f} s of processor time ({count / reading:,.0f} a second),"
    )
    print(f"{reading / plain:.1f} times what the csv module alone takes ({plain:.2f} s)")


def _rows(folder: Path) -> Iterable[list[str]]:
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.reader(file)


def _seconds(items: Callable[[], Iterable[object]]) -> float:
    started = time.process_time()
    for _ in items():
        pass
    return time.process_time() - started


if __name__ == "__main__":
    main()

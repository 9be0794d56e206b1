"""Measures the report of git clones without a configuration and prints a Markdown table.

    python benchmarks/clones.py --rounds 5 path/to/clone path/to/mirror.git

Cold is the first report, whose store is removed beforehand; again is the one after it.
Rounds go through all clones and the import of the libraries in turn, so that a machine whose
speed varies treats them alike; medians are given, and what they are in times of the libraries'.
"""

import argparse
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from measure import LIBRARIES, VPEMETRICS, Measurement, measure

COLD, AGAIN = "cold", "again"


def stored_in(clone: Path) -> Path:
    """The folder of the clone's own store."""
    said = subprocess.run(
        ["git", "-C", clone, "rev-parse", "--absolute-git-dir"],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(said.stdout.strip()) / "vpemetrics"


def measured(clones: Sequence[Path], rounds: int) -> dict[tuple[str, str], list[Measurement]]:
    """All measurements, by what was measured and how."""
    found = defaultdict(list)
    for _ in range(rounds):
        found["libraries", ""].append(measure((VPEMETRICS[0], "-c", LIBRARIES), Path()))
        for clone in clones:
            shutil.rmtree(stored_in(clone), ignore_errors=True)
            for how in (COLD, AGAIN):
                found[clone.name, how].append(measure((*VPEMETRICS, "report"), clone))
    return found


def main() -> None:
    """Measure every clone."""
    parser = argparse.ArgumentParser(description="Measure the report of git clones.")
    parser.add_argument("clones", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found = measured(arguments.clones, arguments.rounds)
    libraries = median(one.cpu for one in found["libraries", ""])
    print(
        "| what | CPU seconds | fastest | ÷ libraries | peak MiB |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    for (name, how), runs in found.items():
        middle = median(one.cpu for one in runs)
        fastest = min(one.cpu for one in runs)
        peak = max(one.mebibytes for one in runs)
        columns = f"{middle:.2f} | {fastest:.2f} | {middle / libraries:.1f} | {peak:.0f}"
        print(f"| {name} {how} | {columns} |")


if __name__ == "__main__":
    main()

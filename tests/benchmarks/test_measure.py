"""Measuring runs from end to end, and its yardsticks hold what they say."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from subprocesses import environment

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six busy weeks of ten services."""
    made = tmp_path_factory.mktemp("made")
    run("generate.py", "S", made, "--weeks", 6)
    return made


@pytest.mark.soak
def test_every_step_and_every_ratio_is_measured(folder: Path) -> None:
    lines = run("measure.py", folder).splitlines()

    titles = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert {"libraries", "rows by `executemany`", "import of the history", "page"} <= set(titles)
    assert {"report ÷ libraries", "store of commits, bytes each"} <= set(titles)
    assert ("floor in C++" in titles) == any(map(shutil.which, ("c++", "g++", "clang++")))


def test_a_process_is_measured_with_its_own_time(tmp_path: Path) -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass"

    measured = load("measure").measure((sys.executable, "-c", spin), tmp_path)

    assert measured.cpu >= 0.3
    assert measured.mebibytes > 1


@pytest.mark.slow
def test_rows_are_inserted_whole(folder: Path) -> None:
    count, _ = run("yardsticks.py", "rows", folder).split()

    history = folder / "history"
    kinds = ("repositories", "commits", "pull_requests", "deployments", "incidents", "runs")
    assert int(count) == sum(
        len((history / f"{kind}.csv").read_text().splitlines()) - 1 for kind in kinds
    )


@pytest.mark.slow
def test_the_floor_ships_every_deployed_commit_once(folder: Path, tmp_path: Path) -> None:
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    run("yardsticks.py", "columns", folder, tmp_path)
    shipped = plainly(tmp_path)
    if compiler is None:
        assert shipped > 0
        return
    floor = str(tmp_path / "floor")
    subprocess.run(
        [compiler, "-O2", "-std=c++17", "-o", floor, str(BENCHMARKS / "floor.cpp")], check=True
    )

    said = subprocess.run([floor, str(tmp_path)], check=True, capture_output=True, text=True).stdout

    assert said.startswith(f"{shipped} changes shipped")


def plainly(columns: Path) -> int:
    """How many changes and direct commits each service shipped, by sets of ancestors."""
    import numpy as np

    def column(name: str) -> list[int]:
        return np.fromfile(columns / name, dtype=name.rpartition(".")[2]).tolist()  # type: ignore[no-any-return] # numpy's

    parents = list(zip(column("first_parent.i4"), column("second_parent.i4"), strict=True))
    merged_at, owner = column("merged_at.i8"), dict[int, int]()
    for commit, change in zip(column("listed.i4"), column("listing.i4"), strict=True):
        if commit >= 0 and (commit not in owner or merged_at[change] < merged_at[owner[commit]]):
            owner[commit] = change
    shipped = set()
    for service, commit in zip(column("service.i4"), column("deployed.i4"), strict=True):
        pending, seen = [commit], {-1}
        while pending:
            if (commit := pending.pop()) not in seen:
                seen.add(commit)
                pending += parents[commit]
                shipped.add(
                    (service, "change", owner[commit])
                    if commit in owner
                    else (service, "commit", commit)
                )
    return len(shipped)

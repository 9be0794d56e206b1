"""The generator of the measurements keeps the last week apart and loses nothing."""

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from sample import PLAN

from vpemetrics.demo.organisation import records_of

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(("size", "commits"), [("S", 100_000), ("M", 1_000_000), ("L", 10_000_000)])
def test_the_sizes_are_the_agreed_ones(generate: ModuleType, size: str, commits: int) -> None:
    plan = generate.plan_of(size, None)

    assert (plan.commits, plan.changes, plan.deployments, plan.incidents, len(plan.services)) == (
        commits,
        commits // 5,
        commits // 10,
        commits // 200,
        commits // 10_000,
    )


def test_a_monorepo_has_the_services_asked_for(generate: ModuleType) -> None:
    plan = generate.plan_of("M", 50)

    assert len(plan.services) == 50
    assert len(plan.repositories) == 1


def test_every_week_is_as_busy_however_many_there_are(generate: ModuleType) -> None:
    short, long = (generate.plan_of("S", None, weeks) for weeks in (104, 1040))

    assert (long.commits, long.deployments) == (10 * short.commits, 10 * short.deployments)
    assert long.services == short.services


def test_history_and_new_week_hold_everything_once(generate: ModuleType, tmp_path: Path) -> None:
    plan = replace(PLAN, weeks=6, commits=600, changes=150, deployments=100, incidents=10)
    counts = generate.write(plan, tmp_path)

    kept = [rows(tmp_path / part / "commits.csv") for part in ("history", "new-week")]
    assert counts["commits"] == sum(r.KIND == "commits" for r in records_of(plan, source="files"))
    assert sum(len(part) for part in kept) == counts["commits"]
    assert max(row["committed_at"] for row in kept[0]) < "2026-08-31"
    assert min(row["committed_at"] for row in kept[1]) >= "2026-08-31"
    assert {row["sha"] for row in kept[0]} >= {
        parent for row in kept[0] for parent in row["parents"].split()
    }

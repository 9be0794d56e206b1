"""The generator of the measurements keeps the last week apart and loses nothing."""

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import stored
from sample import PLAN

from vpemetrics.config.load import load
from vpemetrics.demo.organisation import records_of
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.update_lineage import bring_up_to_date

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


@pytest.fixture(scope="module", params=[None, 8], ids=["repositories", "monorepo"])
def all_kinds(
    request: pytest.FixtureRequest, generate: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder of a small organisation with all that the sizes have."""
    folder = tmp_path_factory.mktemp("generated")
    plan = generate.plan_of("S", request.param)
    services = tuple(f"service-{number}" for number in range(1, 9))
    generate.write(
        replace(
            plan,
            services=services,
            two_regions=frozenset(services[3::10]),
            patterned=frozenset(services[6::10]),
            weeks=30,
            commits=5_000,
            changes=1_000,
            deployments=500,
            incidents=25,
        ),
        folder,
    )
    return folder


@pytest.mark.slow
def test_what_is_rare_in_histories_is_there(all_kinds: Path) -> None:
    commits = {row["sha"]: row for row in rows(all_kinds / "history" / "commits.csv")}
    changes = rows(all_kinds / "history" / "pull_requests.csv")
    deployments = rows(all_kinds / "history" / "deployments.csv")
    merged = {row["merge_commit_sha"]: row["base_branch"] for row in changes}
    picked = [row["sha"] for row in commits.values() if row["picked_from_sha"]]

    assert {commits[sha]["picked_from_sha"] for sha in picked} <= commits.keys()
    assert {merged.get(sha, "main").partition("/")[0] for sha in picked} == {"main", "release"}
    assert any(len(row["parents"].split()) == 4 for row in commits.values())
    assert {row["environment"] for row in deployments} == {
        *("staging", "production", "production-eu", "production-us")
    }
    assert {row["paths"].partition("/")[0] for row in commits.values()} >= {"docs", "services"}
    configured = (all_kinds / "vpemetrics.toml").read_text(encoding="utf-8")
    assert 'paths = ["services/service-7/**", "shared/**"]' in configured


@pytest.mark.slow
def test_all_of_it_is_imported_and_traced(all_kinds: Path, tmp_path: Path) -> None:
    warned: list[str] = []
    rules = load(all_kinds / "vpemetrics.toml", {}).rules()
    folders = [all_kinds / "history", all_kinds / "new-week"]
    with Store.open(tmp_path / "made.db") as store:
        import_files(store, folders, rules, warn=warned.append, progress=lambda _: None)
        bring_up_to_date(store, rules)
        kept = {kind: len(list(store.records(kind))) for kind in ("commits", "deployments")}
        found = stored.read(store)

    assert warned == []
    assert kept == {
        kind: sum(len(rows(folder / f"{kind}.csv")) for folder in folders) for kind in kept
    }
    assert {"forward", "rollout", "attempt"} <= {
        one.kind for deployments in found.deployments.values() for one in deployments
    }
    assert {sent.reason for sent in found.shipped.values()} >= {
        None,
        "automation",
        "first_deployment",
    }


def test_the_same_arguments_write_the_same_bytes(generate: ModuleType, tmp_path: Path) -> None:
    plan = replace(
        generate.plan_of("S", None), weeks=6, commits=600, changes=150, deployments=100, incidents=9
    )

    for folder in ("one", "other"):
        generate.write(plan, tmp_path / folder)

    written = [file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*.*")]
    assert len(written) > 10
    for file in written:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


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

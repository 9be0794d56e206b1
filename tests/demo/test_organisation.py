"""A made-up organisation is repeatable, as large as planned, and possible."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sample import PLAN as SAMPLE

from vpemetrics.demo.blueprint import Blueprint, Lull, configuration
from vpemetrics.demo.hours import second_of, seconds_of
from vpemetrics.demo.mainline import Joining
from vpemetrics.demo.organisation import records_of
from vpemetrics.records import AnyRecord, Change, Commit, Deployment, Incident, Status

PLAN = Blueprint(
    services=tuple(f"service-{number}" for number in range(8)),
    ends=date(2026, 9, 7),
    weeks=20,
    commits=8000,
    changes=1600,
    deployments=800,
    incidents=80,
)
MONOREPO = replace(PLAN, monorepo=True)


def make(blueprint: Blueprint) -> list[AnyRecord]:
    return list(records_of(blueprint, source="made-up"))


@pytest.fixture(scope="module", params=[PLAN, MONOREPO], ids=["repositories", "monorepo"])
def records(request: pytest.FixtureRequest) -> Sequence[AnyRecord]:
    return make(request.param)


def commits(records: Sequence[AnyRecord]) -> list[Commit]:
    return [record for record in records if isinstance(record, Commit)]


def changes(records: Sequence[AnyRecord]) -> list[Change]:
    return [record for record in records if isinstance(record, Change)]


def deployments(records: Sequence[AnyRecord]) -> list[Deployment]:
    return [record for record in records if isinstance(record, Deployment)]


def test_the_same_plan_makes_the_same_records() -> None:
    assert make(SAMPLE) == make(SAMPLE)


def test_another_seed_makes_other_records() -> None:
    assert make(SAMPLE) != make(replace(SAMPLE, seed=SAMPLE.seed + 1))


@pytest.mark.slow
def test_the_aims_of_the_plan_are_met(records: Sequence[AnyRecord]) -> None:
    merged = [change for change in changes(records) if change.merged_at]
    in_production = [
        d
        for d in deployments(records)
        if d.environment == "production" and d.status is Status.SUCCEEDED
    ]
    incidents = [record for record in records if isinstance(record, Incident)]

    assert len(commits(records)) == pytest.approx(PLAN.commits, rel=0.1)
    assert len(merged) == pytest.approx(PLAN.changes, rel=0.1)
    assert len(in_production) == pytest.approx(PLAN.deployments, rel=0.1)
    assert len(incidents) == pytest.approx(PLAN.incidents, rel=0.3)


@pytest.mark.slow
def test_no_id_is_used_twice(records: Sequence[AnyRecord]) -> None:
    keys = Counter((record.KIND, record.key) for record in records)

    assert keys.most_common(1)[0][1] == 1


def test_parents_come_before_their_children(records: Sequence[AnyRecord]) -> None:
    seen: set[str] = set()
    for commit in commits(records):
        assert set(commit.parents) <= seen
        seen.add(commit.sha)


def test_commits_are_merged_squashed_and_rebased(records: Sequence[AnyRecord]) -> None:
    known = {commit.sha: commit for commit in commits(records)}
    joined = [known[c.merge_commit_sha] for c in changes(records) if c.merge_commit_sha]
    merges = sum(len(commit.parents) == 2 for commit in joined)

    assert 0.3 < merges / len(joined) < 0.6
    assert any(commit.authored_at != commit.committed_at for commit in joined)  # rebased


def test_changes_and_deployments_name_commits_that_exist(records: Sequence[AnyRecord]) -> None:
    known = {commit.sha for commit in commits(records)}

    for change in changes(records):
        if change.merge_commit_sha:
            assert {change.merge_commit_sha, *change.commit_shas} <= known
    assert {d.commit_sha for d in deployments(records) if d.commit_sha} <= known


def test_the_moments_of_a_change_are_in_order(records: Sequence[AnyRecord]) -> None:
    for change in changes(records):
        moments = [
            change.first_commit_at,
            change.created_at,
            change.ready_at,
            change.first_review_at,
            change.merged_at,
        ]
        known = [moment for moment in moments if moment]
        assert known == sorted(known)


def test_nothing_is_known_of_what_comes_after_the_end(records: Sequence[AnyRecord]) -> None:
    _, end = PLAN.covered
    for record in records:
        for name in ("merged_at", "closed_at", "finished_at", "resolved_at", "committed_at"):
            moment = getattr(record, name, None)
            assert moment is None or moment < end


@pytest.mark.slow
def test_commits_carry_paths_only_in_a_monorepo() -> None:
    assert all(commit.paths is None for commit in commits(make(PLAN)))
    first, *others = commits(make(MONOREPO))
    assert first.paths == ()  # which is known of it
    assert all(commit.paths for commit in others)


def test_the_configuration_names_every_service_and_its_paths() -> None:
    text = configuration(MONOREPO)

    for service in MONOREPO.services:
        assert f'name = "{service}"' in text
        assert f'paths = ["services/{service}/**", "shared/**"]' in text


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"ends": date(2026, 9, 8)}, "ends on a Monday"),
        ({"weeks": 0}, "whole weeks"),
        ({"commits": 2000}, "commits on average"),
        ({"deployments": 1601}, "once for each change"),
    ],
)
def test_an_impossible_plan_is_refused(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(PLAN, **wrong)


@pytest.mark.slow
def test_a_lull_holds_merges_and_releases_back() -> None:
    lull = Lull(start=date(2026, 6, 1), end=date(2026, 7, 6), merges=0.5, releases=0.2)

    calm = make(replace(PLAN, lulls=(lull,)))

    def within(moments: list[datetime | None]) -> int:
        return sum(m is not None and lull.is_at(second_of(m)) for m in moments)

    usual = make(PLAN)
    merged = [within([c.merged_at for c in changes(some)]) for some in (calm, usual)]
    released = [within([d.finished_at for d in deployments(some)]) for some in (calm, usual)]
    assert merged[0] / merged[1] == pytest.approx(0.5, abs=0.1)
    assert released[0] / released[1] == pytest.approx(0.1, abs=0.06)


def test_a_lull_of_a_service_is_none_of_another() -> None:
    lull = Lull(
        start=date(2026, 6, 1),
        end=date(2026, 7, 6),
        releases=0.2,
        services=frozenset({"service-1"}),
    )
    blueprint = replace(PLAN, lulls=(lull,))
    at = seconds_of(date(2026, 6, 20))

    assert (blueprint.releasing("service-1", at), blueprint.releasing("service-2", at)) == (0.2, 1)
    assert blueprint.releasing("service-1", seconds_of(lull.end)) == 1


@pytest.mark.slow
def test_owners_weights_and_the_way_of_joining_can_be_said() -> None:
    blueprint = replace(
        MONOREPO,
        owners={"service-3": "payments"},
        weights=dict.fromkeys(PLAN.services, 1.0),
        joining=Joining.SQUASH,
    )

    assert (blueprint.team("service-3"), blueprint.team("service-4")) == ("payments", "team-a")
    assert blueprint.share("service-3") == 1 / 8
    merged = {change.merge_commit_sha for change in changes(make(blueprint))}
    assert {len(c.parents) for c in commits(make(blueprint)) if c.sha in merged} == {1}

"""Collections while a GitHub lives on: all together tell what one at the end tells of it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime, timedelta
from random import Random
from threading import Lock
from typing import Any

import pytest
from github_collecting import Collected, collecting
from github_server.answer import Answer, Request
from github_server.faults import Faults, Reply
from github_server.world import World
from hypothesis import given
from hypothesis import strategies as st
from lively_github import (
    BEGIN,
    DEPLOYMENTS,
    EVERYDAY,
    INCIDENTS,
    RARE,
    SINCE,
    Lively,
    between,
)
from tiers import law

from vpemetrics.records import AnyRecord, Commit, Coverage, Deployment, Incident

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
LAG = timedelta(seconds=100)
"""How much later than it says something may turn up."""

seeds = st.integers(0, 1_000_000)
pauses = st.lists(
    st.sampled_from([timedelta(minutes=5), timedelta(hours=3), DAY, 3 * DAY]),
    min_size=2,
    max_size=4,
)

Facts = dict[tuple[str, str], AnyRecord]


@contextmanager
def collecting_all(life: Lively, faults: Faults | None = None) -> Iterator[Collected]:
    """Everything is collected of a world, of which nothing is yet, after its first day."""
    with collecting(
        life.world,
        BEGIN + DAY,
        faults=faults,
        repositories=("acme/*", "beta/*"),
        since=SINCE,
        runs=True,
        archived=True,
        incidents=INCIDENTS,
        deployments=DEPLOYMENTS,
    ) as github:
        yield github


def around(now: datetime, pause: timedelta) -> list[datetime]:
    """Moments after a collection at `now`, some of them before or in the very second of it."""
    return [*between(now - LAG, now, 4), now, now, *between(now, now + pause, 10), now + pause]


def facts(found: Collected) -> Facts:
    """All that was told but coverage."""
    return {key: one for key, one in found.records.items() if not isinstance(one, Coverage)}


def covered(found: Collected) -> dict[tuple[str, str], tuple[datetime, datetime]]:
    """From when until when what is covered, of stretches that belong together."""
    stretches = defaultdict(list)
    for one in found.of(Coverage).values():
        stretches[str(one.kind), one.scope].append((one.start, one.end))
    for own in stretches.values():
        own.sort()
        assert all(
            start <= max(end for _, end in own[:at]) for at, (start, _) in enumerate(own) if at
        )
    return {key: (own[0][0], max(end for _, end in own)) for key, own in stretches.items()}


@given(seeds, pauses)
@law(8, soak=200)
def test_what_happens_between_collections_is_not_missed(
    seed: int, pauses: Sequence[timedelta]
) -> None:
    life = Lively(Random(seed))
    life.live(between(BEGIN, BEGIN + DAY, 30))
    with collecting_all(life) as github:
        github.collect(timedelta())
        for pause in pauses:
            life.live(around(github.now, pause))
            github.collect(pause)
        github.collect(DAY)  # for what was run again, which is looked for once a day
        fresh = github.fresh().collect(timedelta())

    assert facts(github) == facts(fresh)
    assert covered(github) == covered(fresh)


@given(seeds, pauses)
@law(8, soak=200)
def test_repositories_that_change_themselves_lose_nothing(
    seed: int, pauses: Sequence[timedelta]
) -> None:
    """They are renamed, transferred, archived; branches lose commits, issues stop being incidents.

    What was told before stays: addresses under old names, which GitHub leads on; commits that no
    branch has any more, with their parents; incidents until nothing marked them as such; and runs
    for what was the default branch then.
    """
    life = Lively(Random(seed))
    life.live(between(BEGIN, BEGIN + DAY, 30))
    with collecting_all(life) as github:
        github.collect(timedelta())
        for pause in pauses:
            life.live(around(github.now, pause), (*EVERYDAY, *RARE))
            github.collect(pause)
        github.collect(DAY)
        fresh = facts(github.fresh().collect(timedelta()))

    found = under_names_of_now(facts(github), life.world)
    fresh = under_names_of_now(fresh, life.world)
    gone = {key: one for key, one in found.items() if key not in fresh}
    assert {type(one) for one in gone.values()} <= {Commit, Incident, Deployment}
    runs = [one.id for one in gone.values() if isinstance(one, Deployment)]
    assert all(id_.startswith(("run:", "job:")) for id_ in runs)
    assert all(one.resolved_at for one in gone.values() if isinstance(one, Incident))
    assert {key: like(found.get(key), one) for key, one in fresh.items()} == fresh


def under_names_of_now(found: Facts, world: World) -> Facts:
    """The records as if repositories had always been called as they are now, without addresses."""
    names = {
        former: repo.full_name for repo in world.repositories.values() for former in repo.former
    }
    former = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    name = re.compile(rf"(?<![\w-])({former or '$^'})(?![\w-])")

    def renamed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(renamed(one) for one in value)
        return name.sub(lambda one: names[one[0]], value) if isinstance(value, str) else value

    result: Facts = {}
    for (kind, _), one in found.items():
        values = {each.name: renamed(getattr(one, each.name)) for each in fields(one)}
        emptied = {"url": None, "aliases": ()}
        one = replace(one, **values | {key: emptied[key] for key in emptied.keys() & values.keys()})
        result[kind, one.key] = one
    return result


def like(one: AnyRecord | None, fresh: AnyRecord) -> AnyRecord | None:
    """A commit without its parents where it is only an original by now."""
    if isinstance(one, Commit) and isinstance(fresh, Commit) and not fresh.parents:
        return replace(one, parents=())
    return one


@pytest.mark.parametrize("seed", range(6))
def test_what_happens_during_a_collection_is_found_by_the_next(seed: int) -> None:
    life, lock = Lively(Random(seed)), Lock()
    life.live(between(BEGIN, BEGIN + DAY, 60))

    def living(request: Request, reply: Reply) -> Answer:
        """Something happens after every second answer, at the moment it is given."""
        with lock:
            answer = reply()
            if request.number % 2 and github.now < end:
                life.live([github.now + timedelta(seconds=request.number)])
        return answer

    end = BEGIN + DAY + timedelta(minutes=15)
    with collecting_all(life, Faults(always=(living,))) as github:
        for _ in range(3):
            github.collect(timedelta(minutes=5))
        github.collect(DAY)
        fresh = github.fresh().collect(timedelta())

    assert facts(github) == facts(fresh)
    assert covered(github) == covered(fresh)

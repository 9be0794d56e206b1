"""What a first collection is supposed to take, beside what it takes."""

from datetime import timedelta

import pytest
from github_collecting import Collected, collecting
from github_server.world import Repo, World
from github_world import MONDAY

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.github.collect import access, forecast
from vpemetrics.collectors.github.estimate import Estimate
from vpemetrics.collectors.github.options import Options
from vpemetrics.rules import Rules, Service

BEGIN = MONDAY - timedelta(weeks=53)
HALF = 400
PATHS = tuple(
    Service(name=name, repository="acme/shop", paths=(f"services/{name}/**",))
    for name in ("checkout", "cart", "search")
)


@pytest.fixture
def world() -> World:
    """Half of what happened in a repository did so in the year that is collected."""
    world = World()
    shop = world.repository("acme/shop")
    first = BEGIN - timedelta(weeks=53)
    shop.commit("Begin", author=world.account("ada"), at=first)
    for number in range(2 * HALF):
        _work(shop, number)
    return world


def _work(repo: Repo, number: int) -> None:
    """A pull request that is merged, tested and deployed."""
    ada, branch = repo.world.account("ada"), f"work-{number}"
    at = BEGIN + timedelta(weeks=53) / HALF * (number - HALF + 0.5)
    paths = (f"services/{PATHS[number % 3].name}/main.py",)
    work = repo.commit(
        "Work", author=ada, at=at, branch=branch, parents=[repo.tip or ""], paths=paths
    )
    pull = repo.open_pull("Work", author=ada, commits=[work.oid], at=at, head=branch)
    merged = repo.merge(pull, at=at)
    repo.say(repo.deploy(merged.oid, "production", at=at, by=ada), "SUCCESS", at=at)
    if at >= BEGIN:
        repo.finish_run(repo.start_run("tests", merged.oid, at=at), "success", at=at)


def supposed(github: Collected) -> Estimate:
    options = Options(url=github.github.url, token="env:TOKEN", **github.settings)
    context = CollectionContext(
        source="github",
        now=github.now,
        cursors={},
        rules=github.rules,
        secret=lambda _reference: "ghp_example",
    )
    opened = access(options, context)
    try:
        return forecast(options, context, opened).cost
    finally:
        opened.close()


@pytest.mark.parametrize("services", [(), PATHS])
@pytest.mark.slow
def test_a_first_collection_takes_what_is_supposed(
    world: World, services: tuple[Service, ...]
) -> None:
    rules = Rules(services=services)
    with collecting(world, MONDAY, rules=rules, runs=True) as github:
        cost = supposed(github)
        github.collect()

    assert cost.requests == pytest.approx(github.requests, rel=0.2)
    assert cost.points == pytest.approx(github.points, rel=0.2)

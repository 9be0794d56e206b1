"""A first look at repositories, against a simulated GitHub."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from deploying_world import NOW, TOKEN, ago, deploying_world
from github_server.answer import Answer, problem
from github_server.faults import Fault, Faults, bad_credentials, heavy, only
from github_server.server import SimulatedGitHub
from github_server.things import Account
from github_server.world import Repo, World

from vpemetrics.collectors.discovery import RepositoryOverview, Survey
from vpemetrics.collectors.github.client import Access, access_by_token
from vpemetrics.collectors.github.survey import active_of, list_own, survey
from vpemetrics.collectors.http import BadCredentials, Gone, WaitPolicy


@pytest.fixture
def world() -> World:
    return deploying_world()


@pytest.fixture
def github(world: World) -> Iterator[SimulatedGitHub]:
    with SimulatedGitHub(world) as server:
        yield server


@pytest.fixture
def access(github: SimulatedGitHub) -> Iterator[Access]:
    opened = access_to(github)
    yield opened
    opened.close()


def access_to(github: SimulatedGitHub) -> Access:
    return access_by_token(url=github.url, token=TOKEN, policy=WaitPolicy())


def seen(access: Access, *names: str) -> Survey:
    return survey(access, [f"acme/{name}" for name in names], NOW, lambda _done, _of: None)


def sight(access: Access, name: str) -> RepositoryOverview:
    (found,) = seen(access, name).overviews
    return found


def repository(world: World, name: str) -> tuple[Repo, str, Account]:
    """A new repository with one commit of late, its sha, and somebody."""
    repo, ada = world.repository(f"acme/{name}"), world.account("ada")
    return repo, repo.commit("Begin", author=ada, at=ago(20)).oid, ada


def test_what_repositories_have_is_counted(access: Access) -> None:
    shop, search, docs = seen(access, "shop", "search", "docs").overviews

    told = [(one.name, one.production, one.deployments.count) for one in shop.environments]
    assert sorted(told) == [("production", True, 30), ("staging", False, 30)]
    assert {name: tally.count for name, tally in shop.labels.items()} == {"incident": 3}
    assert shop.codeowners == "* @acme/payments\n"
    assert (search.releases.tally.count, search.tags.tally.count) == (3, 3)
    assert search.catalog is not None
    assert (shop.merges.count, docs.merges.count) == (30, 1)
    assert (docs.environments, docs.workflows) == ((), ())


def test_many_repositories_take_a_point_for_every_twenty(
    world: World, access: Access, github: SimulatedGitHub
) -> None:
    names = [f"part-{number}" for number in range(40)]
    for name in names:
        repository(world, name)

    found = seen(access, *names)

    assert [one.repository for one in found.overviews] == [f"acme/{name}" for name in names]
    assert github.points == 2


def test_progress_is_told(access: Access) -> None:
    told: list[tuple[int, int]] = []

    survey(access, ["acme/shop", "acme/docs"], NOW, lambda done, of: told.append((done, of)))

    assert told == [(0, 2), (1, 2), (2, 2)]


def test_what_is_older_than_90_days_does_not_count(world: World, access: Access) -> None:
    repo, oid, ada = repository(world, "slow")
    for days in (89, 91):
        repo.deploy(oid, "live", at=ago(days), by=ada)
        repo.release(f"v1.{days}", at=ago(days), created_at=ago(days), by=ada)
        repo.open_issue("Down", author=ada, at=ago(days), labels=["outage"], kind="Incident")

    found = sight(access, "slow")

    (live,) = found.environments
    assert live.deployments.count == 1
    assert (found.releases.tally.count, found.releases.ever) == (1, 2)
    assert found.labels["outage"].count == 1
    assert {name: tally.count for name, tally in found.types.items()} == {"Incident": 1}


def test_only_tasks_that_deploy_count(world: World, access: Access) -> None:
    repo, oid, ada = repository(world, "tasks")
    for task in ("deploy", "deploy:migrations", "rollback", "migrate"):
        repo.deploy(oid, "production", at=ago(1), by=ada, task=task)

    (production,) = sight(access, "tasks").environments

    assert production.deployments.count == 3


def test_of_very_many_deployments_it_says_at_least(world: World, access: Access) -> None:
    repo, oid, ada = repository(world, "busy")
    for number in range(520):
        repo.deploy(oid, "production", at=ago(1) + timedelta(minutes=number), by=ada)

    (production,) = sight(access, "busy").environments

    assert str(production.deployments) == "at least 500"


def test_versions_are_those_that_were_published_and_name_services(
    world: World, access: Access
) -> None:
    repo, oid, ada = repository(world, "parts")
    repo.tag("web-v1.0", oid, at=ago(3))
    repo.tag("api-v1.0", oid, at=ago(3), tagger=ada)
    repo.tag("nightly", oid, at=ago(3))
    repo.tag("web-v1.1-rc1", oid, at=ago(3))
    repo.release("web-v1.0", at=ago(2), created_at=ago(3), by=ada)
    repo.release("web-v1.1", at=None, created_at=ago(3), by=ada)  # a draft
    repo.release("api-v2.0", at=ago(2), created_at=ago(3), by=ada, prerelease=True)

    found = sight(access, "parts")

    assert (found.tags.tally.count, found.tags.services) == (2, ("api", "web"))
    assert (found.releases.tally.count, found.releases.services) == (1, ("web",))


def test_workflows_that_deploy_are_counted_by_their_successes(world: World, access: Access) -> None:
    repo, oid, ada = repository(world, "flows")
    for workflow, conclusion in (
        ("Deploy", "success"),
        ("Deploy", "success"),
        ("Deploy", "failure"),
        ("Tests", "success"),
        ("Deploy preview", "success"),
        ("Release", "failure"),  # never succeeded
    ):
        run = repo.start_run(workflow, oid, at=ago(2), by=ada)
        repo.finish_run(run, conclusion, at=ago(1.9))

    assert [(one.name, one.runs.count) for one in sight(access, "flows").workflows] == [
        ("Deploy", 2)
    ]


def test_what_is_gone_is_trouble_and_the_rest_is_seen(world: World, access: Access) -> None:
    renamed, _, _ = repository(world, "former")
    world.rename(renamed, "acme/newer")

    found = seen(access, "gone", "former", "newer", "docs")

    assert [one.repository for one in found.overviews] == ["acme/newer", "acme/docs"]
    (trouble,) = found.trouble
    assert trouble.startswith("acme/gone: Could not resolve")


def test_an_empty_repository_has_nothing(world: World, access: Access) -> None:
    world.repository("acme/empty").default_branch = None

    found = sight(access, "empty")

    assert found == RepositoryOverview(repository="acme/empty")


def forbidden(_request: object, _reply: object) -> Answer:
    return problem(403, "Resource not accessible by personal access token")


def test_what_may_not_be_read_is_trouble(world: World) -> None:
    fault = only(forbidden, path="/deployments")
    with SimulatedGitHub(world, faults=Faults(always=(fault,))) as github:
        found = seen(access_to(github), "shop", "docs")

    assert [one.environments for one in found.overviews] == [(), ()]
    (trouble,) = found.trouble
    assert "deployments" in trouble
    assert "Resource not accessible" in trouble


@pytest.mark.parametrize("fault", [only(bad_credentials, path="/deployments")])
def test_what_stops_everything_is_raised(world: World, fault: Fault) -> None:
    with (
        SimulatedGitHub(world, faults=Faults(always=(fault,))) as github,
        pytest.raises(BadCredentials),
    ):
        seen(access_to(github), "shop")


def test_a_look_that_is_too_heavy_is_halved(world: World) -> None:
    names = [f"part-{number}" for number in range(8)]
    for name in names:
        repository(world, name)
    one = 405  # nodes of a look at one repository, about
    with SimulatedGitHub(world, faults=Faults(always=(heavy(nodes=3 * one),))) as github:
        found = seen(access_to(github), *names)

    assert [each.repository for each in found.overviews] == [f"acme/{name}" for name in names]


def test_of_an_owner_what_was_pushed_to_of_late_is_looked_at(world: World, access: Access) -> None:
    for name in ("archived", "forked", *(f"part-{number}" for number in range(120))):
        repository(world, name)
    world.repository("acme/archived").archived = True
    world.repository("acme/forked").fork = True

    found = active_of(access.client("acme"), "acme", NOW)

    assert len(found) == 123
    assert {"acme/shop", "acme/part-119"} <= set(found)
    assert not {"acme/old", "acme/archived", "acme/forked"} & set(found)


def test_a_repository_that_only_holds_incidents_is_looked_at(world: World, access: Access) -> None:
    world.repository("acme/incidents")
    world.repository("acme/outage-reviews")
    world.repository("acme/empty")

    found = active_of(access.client("acme"), "acme", NOW)

    assert "acme/incidents" in found
    assert not {"acme/outage-reviews", "acme/empty"} & set(found)


def test_an_owner_that_is_none_is_gone(access: Access) -> None:
    with pytest.raises(Gone, match="nobody"):
        active_of(access.client("nobody"), "nobody", NOW)


def test_what_whoever_asks_may_see_is_listed(world: World, access: Access) -> None:
    assert set(list_own(access.client(""), NOW)) == {"acme/shop", "acme/search", "acme/docs"}


def test_a_token_that_nobody_is_behind_sees_nothing_of_its_own(world: World) -> None:
    fault = only(forbidden, path="/user/repos")
    with SimulatedGitHub(world, faults=Faults(always=(fault,))) as github:
        assert list_own(access_to(github).client(""), NOW) == []

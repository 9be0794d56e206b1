"""Collecting from a simulated GitHub: what is told, what it costs, and that nothing is missed."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from github_collecting import Collected, collecting, span
from github_server.world import Repo, World
from github_world import NEXT_WEEK, ada, after, busy_world, pull

from vpemetrics.collectors.github.options import Incidents, Rule
from vpemetrics.collectors.http import SourceProblem
from vpemetrics.records import (
    AuthorKind,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Status,
)
from vpemetrics.rules import Rules

LABELLED = Incidents(labels=("incident",))


@pytest.fixture
def github(world: World, shop: Repo) -> Iterator[Collected]:
    """A GitHub with `acme/shop` in it."""
    with collecting(world, NEXT_WEEK, incidents=LABELLED) as collected:
        yield collected


def test_everything_that_happened_is_told() -> None:
    with collecting(busy_world(), NEXT_WEEK, incidents=LABELLED, runs=True) as github:
        found = github.collect()

    assert sorted(one.name for one in found.of(Repository).values()) == [
        "acme/empty",
        "acme/new-name",
        "acme/shop",
    ]
    titles = {one.title for one in found.of(Change).values() if one.merged_at}
    assert titles == {"Fix the cart", "Merged as it was", "Rebased"}
    assert {one.title for one in found.of(Incident).values()} == {"Cart is down", "Late mails"}
    assert [one.status for one in found.of(Deployment).values()].count(Status.SUCCEEDED) == 2


def test_nothing_new_in_many_repositories_costs_one_request(world: World) -> None:
    for number in range(30):
        made = world.repository(f"acme/service-{number}")
        made.commit("All", author=world.account("ada"), at=after(1))
        made.deploy(made.tip or "", "production", at=after(2), by=world.account("ada"))
    with collecting(world, NEXT_WEEK, incidents=LABELLED, runs=True) as github:
        first = github.collect().requests
        github.collect()

        assert github.requests == 1
        assert first > 30
        assert {type(one) for one in github.told} == {Coverage}


def test_an_old_pull_request_that_is_merged_late_is_found(github: Collected, shop: Repo) -> None:
    old = pull(shop, "old", after(5))
    pull(shop, "new", after(9))
    github.collect()
    shop.merge(shop.pulls[old], at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    assert github.new(Change)[f"acme/shop#{old}"].merged_at
    assert github.requests <= 4


def test_a_deployment_that_succeeds_late_is_found(github: Collected, shop: Repo) -> None:
    waiting = shop.deploy(shop.tip or "", "production", at=after(5), by=ada(shop))
    shop.say(
        shop.deploy(shop.tip or "", "production", at=after(9), by=ada(shop)),
        "SUCCESS",
        at=after(10),
    )
    github.collect()
    shop.say(waiting, "SUCCESS", at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    (told,) = github.new(Deployment).values()
    assert (told.status, told.started_at) == (Status.SUCCEEDED, after(5))
    assert github.requests == 2


def test_what_goes_on_in_the_second_in_which_it_was_read_is_found(
    github: Collected, shop: Repo
) -> None:
    made = shop.deploy(shop.tip or "", "production", at=after(5), by=ada(shop))
    then = NEXT_WEEK + timedelta(hours=1)
    shop.say(made, "IN_PROGRESS", at=then)
    github.collect()
    shop.say(made, "SUCCESS", at=then)
    github.collect()
    (told,) = github.new(Deployment).values()
    github.collect()

    assert told.status is Status.SUCCEEDED
    assert github.requests == 1


def test_an_incident_that_is_opened_again_is_found(github: Collected, shop: Repo) -> None:
    issue = shop.open_issue("Down", author=ada(shop), at=after(5), labels=["incident"])
    shop.close(issue, at=after(6))
    github.collect()
    key = f"acme/shop#{issue.number}"
    assert github.of(Incident)[key].resolved_at == after(6)
    shop.reopen(issue, at=NEXT_WEEK + timedelta(hours=2))
    github.collect()

    assert github.of(Incident)[key].resolved_at is None


def test_an_issue_that_is_no_incident_any_more_ends(github: Collected, shop: Repo) -> None:
    issue = shop.open_issue("Down", author=ada(shop), at=after(5), labels=["incident"])
    github.collect()
    shop.unlabel(issue, "incident", at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    (told,) = github.new(Incident).values()
    assert told.resolved_at == NEXT_WEEK + timedelta(hours=1, minutes=30)


def test_incidents_by_type_are_named_by_rest(github: Collected, shop: Repo) -> None:
    shop.open_issue("Down", author=ada(shop), at=after(5), kind="Incident")
    shop.open_issue("Wish", author=ada(shop), at=after(5), kind="Feature")
    github.collect(incidents=Incidents(types=("Incident",)))
    github.collect(incidents=Incidents(types=("Incident",)))

    assert [one.title for one in github.of(Incident).values()] == ["Down"]
    assert github.requests == 1


@pytest.mark.slow
def test_a_first_collection_goes_on_where_it_was_interrupted(world: World, shop: Repo) -> None:
    for number in range(220):
        opened = pull(shop, f"n{number}", after(number / 2))
        shop.merge(shop.pulls[opened], at=after(number / 2 + 0.1))
    with collecting(world, NEXT_WEEK) as github:
        whole = github.collect()
        pieces = github.fresh()
        spent = 0
        for _ in range(20):
            pieces.collect(timedelta(minutes=1), max_requests=4)
            spent += pieces.requests
            if pieces.requests < 4:
                break

    assert pieces.requests < 4
    assert spent <= whole.requests * 2
    assert pieces.of(Change) == whole.of(Change)
    assert pieces.of(Commit) == whole.of(Commit)
    assert span(pieces, CoverageKind.PULL_REQUESTS, "acme/shop")[-1][1] == pieces.now


def test_a_collection_that_nobody_reads_on_ends(world: World, shop: Repo) -> None:
    for number in range(120):
        pull(shop, f"n{number}", after(number))
    with collecting(world, NEXT_WEEK) as github:
        batches = github.batches()
        next(batches)
        batches.close()
        before = github.github.requests
        whole = github.collect()

    assert github.github.requests > before
    assert len(whole.of(Change)) == 120


def test_more_than_a_page_of_commits_and_reviews_is_told(github: Collected, shop: Repo) -> None:
    number = pull(shop, "long", after(140), 130)
    for step in range(120):
        shop.review(
            shop.pulls[number],
            "COMMENTED",
            by=shop.world.account("ci[bot]"),
            at=after(141 + step / 60),
        )
    shop.review(shop.pulls[number], "APPROVED", by=shop.world.account("bob"), at=after(150))
    found = github.collect()

    change = found.of(Change)[f"acme/shop#{number}"]
    assert len(change.commit_shas) == 130
    assert change.first_review_at == change.approved_at == after(150)


def test_a_renamed_repository_keeps_its_name_in_records(
    github: Collected, world: World, shop: Repo
) -> None:
    github.collect()
    world.rename(shop, "acme/store")
    number = pull(shop, "after", NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    assert github.new(Change).keys() == {f"acme/shop#{number}"}
    (told,) = github.new(Repository).values()
    assert (told.id, told.name, told.aliases) == (shop.id, "acme/store", ("acme/shop",))
    assert span(github, CoverageKind.PULL_REQUESTS, "acme/store")


def test_a_new_repository_under_an_old_name_is_another_one(
    github: Collected, world: World, shop: Repo
) -> None:
    github.collect()
    world.rename(shop, "acme/store")
    shop.former.clear()  # GitHub forgets a name that is given to another one
    other = world.repository("acme/shop")
    other.commit("New", author=ada(shop), at=NEXT_WEEK)
    number = pull(other, "first", NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    assert f"acme/shop#{number}" not in github.new(Change)
    assert {one.name for one in github.of(Repository).values()} == {"acme/store", "acme/shop"}


def test_a_transferred_repository_is_followed(github: Collected, world: World, shop: Repo) -> None:
    github.collect()
    world.rename(shop, "beta/shop")
    number = pull(shop, "there", NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()
    assert github.new(Change).keys() == {f"acme/shop#{number}"}

    github.collect()
    assert github.requests <= 2


def test_one_repository_that_is_gone_keeps_no_other_from_being_collected(
    world: World, shop: Repo
) -> None:
    names = ("acme/shop", "acme/gone", "nobody/here")
    with (
        collecting(world, NEXT_WEEK, repositories=names) as github,
        pytest.raises(SourceProblem, match="acme/gone") as raised,
    ):
        github.collect()

    assert "nobody/here" in str(raised.value)
    assert "acme/shop" not in str(raised.value)
    assert github.of(Commit)


def test_archived_repositories_and_forks_are_left_out_unless_wanted(world: World) -> None:
    for name in ("plain", "old", "copy"):
        made = world.repository(f"acme/{name}")
        made.commit("All", author=world.account("ada"), at=after(1))
        made.archived, made.fork = name == "old", name == "copy"
    with collecting(world, NEXT_WEEK) as github:
        usual = {one.name for one in github.collect().of(Repository).values()}
        more = github.fresh().collect(archived=True, forks=True).of(Repository)
        named = github.fresh().collect(repositories=("acme/old",)).of(Repository)

    assert usual == {"acme/plain"}
    assert len(more) == 3
    assert {one.name for one in named.values()} == {"acme/old"}


def test_what_was_last_touched_before_since_is_left_out(github: Collected, shop: Repo) -> None:
    old, new = pull(shop, "old", after(5)), pull(shop, "new", after(60))
    github.collect(since=date(2026, 3, 4))
    assert github.of(Change).keys() == {f"acme/shop#{new}"}

    github.collect(since=date(2026, 3, 1))
    assert github.of(Change).keys() == {f"acme/shop#{new}", f"acme/shop#{old}"}


def test_several_accounts_are_collected(world: World, shop: Repo) -> None:
    other = world.repository("beta/cart")
    other.commit("All", author=ada(shop), at=after(1))
    with collecting(world, NEXT_WEEK, repositories=("acme/*", "beta/cart")) as github:
        github.collect()
        names = {one.name for one in github.of(Repository).values()}
        github.collect()

    assert names == {"acme/shop", "beta/cart"}
    assert github.requests == 2


def test_commits_that_github_does_not_give_are_counted(github: Collected, shop: Repo) -> None:
    number = pull(shop, "long", after(20), 253)
    found = github.collect()

    assert len(found.of(Change)[f"acme/shop#{number}"].commit_shas) == 250
    assert "GitHub did not give 3 commits of pull requests that it has" in found.warnings


def test_releases_tags_and_merges_deploy_where_a_rule_says_so(
    github: Collected, shop: Repo
) -> None:
    merged = pull(shop, "one", after(8))
    shop.merge(shop.pulls[merged], at=after(10))
    shop.tag("v1.0.0", shop.tip or "", at=after(11), tagger=ada(shop))
    shop.tag("v1.1.0-rc1", shop.tip or "", at=after(12), tagger=ada(shop))
    shop.release("v1.0.0", at=after(13), created_at=after(10), by=ada(shop))
    shop.release("v1.1.0", at=None, created_at=after(10), by=ada(shop))
    rules = tuple(Rule(kind=kind) for kind in ("releases", "tags", "merges"))
    found = github.collect(deployments=rules)
    made = {
        key.partition(":")[0]: (one.commit_sha, one.finished_at)
        for key, one in found.of(Deployment).items()
    }

    assert made == {
        "release": (shop.tip, after(13)),
        "tag": (shop.tip, after(11)),
        "merge": (shop.tip, after(10)),
    }


def test_a_release_of_an_old_commit_is_found(github: Collected, shop: Repo) -> None:
    old, rules = shop.tip or "", (Rule(kind="releases"),)
    shop.tag("v1.0.0", old, at=after(3))
    shop.commit("More", author=ada(shop), at=after(40))
    shop.tag("v2.0.0", shop.tip or "", at=after(41))
    shop.release("v2.0.0", at=after(42), created_at=after(40), by=ada(shop))
    github.collect(deployments=rules)
    late = NEXT_WEEK + timedelta(hours=1, minutes=30)
    shop.release("v1.0.0", at=late, created_at=after(2), by=ada(shop))
    github.collect(deployments=rules)

    assert "v1.0.0" in {one.version for one in github.new(Deployment).values()}


def test_a_changed_setting_has_what_it_decides_told_again(github: Collected, shop: Repo) -> None:
    shop.say(
        shop.deploy(shop.tip or "", "shop/live", at=after(5), by=ada(shop)), "SUCCESS", at=after(6)
    )
    github.collect()
    rule = Rule(environment=r"(?P<service>\w+)/(?P<environment>\w+)")
    github.collect(deployments=(rule,))

    (told,) = github.new(Deployment).values()
    assert (told.service, told.environment) == ("shop", "live")
    assert not github.new(Change)


def test_bots_that_are_named_later_are_told_again(github: Collected, shop: Repo) -> None:
    shop.merge(shop.pulls[pull(shop, "one", after(8))], at=after(10))
    (before,) = github.collect().of(Change).values()
    github.rules = Rules(bots=("ada*",))
    github.collect()

    (now,) = github.new(Change).values()
    assert (before.author_kind, now.author_kind) == (AuthorKind.PERSON, AuthorKind.AUTOMATION)
    assert {one.author_kind for one in github.new_commits.values()} == {AuthorKind.AUTOMATION}


@pytest.mark.slow
def test_a_large_first_collection_says_what_it_takes(world: World) -> None:
    for number in range(70):
        made = world.repository(f"acme/s{number}")
        made.commit("All", author=world.account("ada"), at=after(1))
    with collecting(world, NEXT_WEEK) as github:
        github.collect()
        (text,) = github.warnings
        assert "70 repositories since 2025-03-03 takes about 70 requests and 70 GraphQL" in text

        github.collect()
        assert github.warnings == []


def test_open_things_that_are_gone_are_asked_for_only_so_often(
    github: Collected, shop: Repo
) -> None:
    waiting = shop.deploy(shop.tip or "", "production", at=after(5), by=ada(shop))
    github.collect()
    del shop.deployments[waiting.database_id]
    asked = [github.collect().requests for _ in range(8)]

    assert asked[0] > 1
    assert asked[-1] == 1

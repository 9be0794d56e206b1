"""Commits, collected from a simulated GitHub: which are read, and when no more are asked for."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from github_collecting import Collected, collecting, span
from github_server.world import Repo, World
from github_world import NEXT_WEEK, ada, after, pull

from vpemetrics.collectors.github.options import Incidents
from vpemetrics.demo.mainline import Joining
from vpemetrics.records import Change, Commit, CoverageKind, Repository
from vpemetrics.rules import Rules, Service

LABELLED = Incidents(labels=("incident",))


@pytest.fixture
def github(world: World, shop: Repo) -> Iterator[Collected]:
    """A GitHub with `acme/shop` in it."""
    with collecting(world, NEXT_WEEK, incidents=LABELLED) as collected:
        yield collected


def test_a_fork_has_the_commits_it_shares(world: World, shop: Repo) -> None:
    fork = world.repository("acme/fork")
    fork.commits.update(shop.commits)
    fork.point("main", shop.tip or "", at=after(3))
    with collecting(world, NEXT_WEEK) as github:
        found = Counter(one.repository for one in github.collect().of(Commit).values())

    assert found == {"acme/shop": 3, "acme/fork": 3}


def test_originals_are_told_without_parents_only_where_no_branch_has_them(
    github: Collected, shop: Repo
) -> None:
    squashed, merged = pull(shop, "one", after(8), 3), pull(shop, "two", after(9), 3)
    shop.merge(shop.pulls[squashed], at=after(10))
    shop.merge(shop.pulls[merged], at=after(11), how=Joining.MERGE)
    found = github.collect()

    changes, commits = found.of(Change), found.commits
    whole = {one.oid: one.parents for one in shop.commits.values()}
    assert [len(changes[f"acme/shop#{n}"].commit_shas) for n in (squashed, merged)] == [3, 3]
    for sha in changes[f"acme/shop#{merged}"].commit_shas:
        assert commits[sha].parents == whole[sha]
    for sha in changes[f"acme/shop#{squashed}"].commit_shas:
        assert commits[sha].authored_at == shop.commits[sha].author.date


def test_commits_merged_from_an_old_branch_are_not_missed(github: Collected, shop: Repo) -> None:
    late = pull(shop, "old-branch", after(4), 2)
    for hour in range(5, 160):
        shop.commit(f"Step {hour}", author=ada(shop), at=after(hour))
    github.collect()
    merged_at = NEXT_WEEK + timedelta(hours=1, minutes=30)
    made = shop.merge(shop.pulls[late], at=merged_at, how=Joining.MERGE)
    github.collect()

    assert github.new_commits.keys() == {made.oid, *shop.pulls[late].commits}
    (covered,) = span(github, CoverageKind.COMMITS, "acme/shop")
    assert covered[1] == github.now


def test_the_history_of_a_deployed_branch_is_told(github: Collected, shop: Repo) -> None:
    base = shop.tip or ""
    github.collect()
    fix = shop.commit("Fix", author=ada(shop), at=after(30), branch="release", parents=[base])
    done_at = NEXT_WEEK + timedelta(hours=1, minutes=30)
    shop.say(shop.deploy(fix.oid, "production", at=done_at, by=ada(shop)), "SUCCESS", at=done_at)
    preview = shop.commit("Try", author=ada(shop), at=after(31), branch="try", parents=[base])
    other = shop.deploy(preview.oid, "preview", at=done_at, by=ada(shop))
    shop.say(other, "SUCCESS", at=done_at)
    github.collect()

    assert {sha: one.parents for sha, one in github.new_commits.items()} == {fix.oid: (base,)}


def test_a_forced_push_is_read_from_where_it_joins(github: Collected, shop: Repo) -> None:
    base = shop.tip or ""
    shop.commit("Regretted", author=ada(shop), at=after(30))
    github.collect()
    other = shop.commit("Better", author=ada(shop), at=after(31), branch="x", parents=[base])
    shop.point("main", other.oid, at=NEXT_WEEK + timedelta(hours=1))
    github.collect()

    assert github.new_commits.keys() == {other.oid}


def test_commits_tell_which_paths_of_services_they_touch(world: World) -> None:
    mono = world.repository("acme/mono")
    author = world.account("ada")
    cart = mono.commit("Cart", author=author, at=after(1), paths=("cart/a.py",))
    both = mono.commit("Both", author=author, at=after(2), paths=("cart/a.py", "mail/b.py"))
    none = mono.commit("Docs", author=author, at=after(3), paths=("README.md",))
    services = tuple(
        Service(name=name, repository="acme/mono", paths=(f"{name}/**",))
        for name in ("cart", "mail")
    )
    with collecting(world, NEXT_WEEK, rules=Rules(services=services)) as github:
        found = github.collect().commits

    assert found[cart.oid].paths == ("cart/*",)
    assert found[both.oid].paths == ("cart/*", "mail/*")
    assert found[none.oid].paths == ()


def test_what_a_deployed_branch_apart_touches_is_told_too(world: World) -> None:
    mono = world.repository("acme/mono")
    author = world.account("ada")
    base = mono.commit("Cart", author=author, at=after(1), paths=("cart/a.py",))
    fix = mono.commit(
        "Fix",
        author=author,
        at=after(3),
        branch="hotfix/1",
        parents=[base.oid],
        paths=("cart/a.py",),
    )
    mono.commit("More", author=author, at=after(2), paths=("mail/b.py",))
    for oid in (fix.oid, "f" * 40):  # the second was pushed away
        mono.say(mono.deploy(oid, "production", at=after(4), by=author), "SUCCESS", at=after(5))
    rules = Rules(services=(Service(name="cart", repository="acme/mono", paths=("cart/**",)),))
    with collecting(world, NEXT_WEEK, rules=rules) as github:
        found = github.collect().commits

    assert found[fix.oid].paths == ("cart/*",)


def test_another_default_branch_is_told(github: Collected, shop: Repo) -> None:
    github.collect()
    shop.branches["trunk"], shop.default_branch = shop.tip or "", "trunk"
    github.collect()

    (told,) = github.new(Repository).values()
    assert told.default_branch == "trunk"

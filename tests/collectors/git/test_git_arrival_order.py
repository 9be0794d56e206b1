"""The same references tell the same, in whatever order they came."""

from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest
from gitrepository import Collected, GitRepository, collected, copy_of

from vpemetrics.records import Change, Deployment

pytestmark = pytest.mark.slow  # each case collects several times

REFS = ("refs/heads/*", "refs/tags/*", "refs/pull/*")


def whole(shop: GitRepository) -> None:
    """Squashes of pull requests, an issue's number, builds before a version, a moved tag."""
    shop.commit("Begin")
    shop.tag("v1.0")
    _squash(shop, 1)
    shop.commit("Mend what was told (#2)")  # an issue
    shop.tag("v1.1-1")
    _squash(shop, 3)
    shop.tag("v1.1")
    shop.tag("web/v1.1", "HEAD~1")
    shop.commit("Mend more (#9)")  # nobody knows: its head may come


def _squash(shop: GitRepository, number: int) -> None:
    shop.branch(f"pull-{number}", "main")
    shop.commit("One")
    shop.commit("Two")
    shop.git("update-ref", f"refs/pull/{number}/head", "HEAD")
    shop.switch("main")
    shop.git("branch", "-D", f"pull-{number}")
    shop.commit(f"Mend (#{number})")


def told(found: Collected) -> tuple[dict[int, Change], dict[str, Deployment]]:
    return found.changes, found.deployments


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    return copy_of(whole, tmp_path / "shop")


@pytest.mark.parametrize("order", [*permutations(REFS)])
def test_references_arrive_in_any_order(
    shop: GitRepository, tmp_path: Path, order: Sequence[str]
) -> None:
    mine = tmp_path / "mine"
    shop.git("init", "-q", "-b", "main", "--template=", str(mine))
    found = collected(mine)
    for refs in order:
        shop.git(
            "-C", str(mine), "fetch", "-q", "--no-tags", str(shop.path), f"{refs}:{refs}", "-u"
        )
        found.again()

    assert told(found) == told(collected(shop.path))
    assert found.again().new == []


def a_head_of_another(shop: GitRepository) -> None:
    """So that #9 is no longer above all known heads."""
    shop.git("update-ref", "refs/pull/12/head", "refs/pull/1/head")


def a_late_push(shop: GitRepository) -> None:
    """The head of a pull request moves after it was fetched."""
    tree = shop.git("write-tree")
    later = shop.git("commit-tree", "-p", "refs/pull/3/head", "-m", "Three", tree)
    shop.git("update-ref", "refs/pull/3/head", later)


def an_issue_that_is_one_after_all(shop: GitRepository) -> None:
    shop.git("update-ref", "refs/pull/2/head", "refs/pull/1/head")


def no_heads_any_more(shop: GitRepository) -> None:
    for number in (1, 3):
        shop.git("update-ref", "-d", f"refs/pull/{number}/head")


def a_tag_made_anew(shop: GitRepository) -> None:
    shop.tag("v1.0", "v1.0", message="With a time of its own")


def a_moved_tag(shop: GitRepository) -> None:
    shop.tag("v1.1", "HEAD")


def a_higher_version_of_a_commit(shop: GitRepository) -> None:
    shop.tag("v2.0", "v1.0")


def a_tag_of_production(shop: GitRepository) -> None:
    shop.tag("prod/v1.1")


NEWS: list[Callable[[GitRepository], None]] = [
    a_head_of_another,
    a_late_push,
    an_issue_that_is_one_after_all,
    no_heads_any_more,
    a_tag_made_anew,
    a_moved_tag,
    a_higher_version_of_a_commit,
    a_tag_of_production,
]


@pytest.mark.parametrize("news", NEWS)
def test_what_comes_late_leaves_what_is_told_of_it_at_once(
    shop: GitRepository, news: Callable[[GitRepository], None]
) -> None:
    found = collected(shop.path)
    before = told(found)
    news(shop)

    after = told(found.again())

    assert after == told(collected(shop.path))
    assert after != before
    assert found.again().new == []


def test_a_clone_that_is_cut_takes_nothing_back(shop: GitRepository, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shop.git("clone", "-q", f"file://{shop.path}", str(mine))
    found = collected(mine)
    before = told(found)

    shop.git("-C", str(mine), "fetch", "-q", "--depth", "1")

    assert set(found.again().changes) == set(before[0])

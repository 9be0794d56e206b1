"""The main branch grows as git would let it grow."""

import pytest

from vpemetrics.demo.dice import Dice
from vpemetrics.demo.hours import DAY, moment
from vpemetrics.demo.mainline import REMEMBERED, Joining, Mainline
from vpemetrics.records import Commit

WORK = Commit(sha="", repository="example/app", author="team-a-1")


@pytest.fixture
def mainline() -> Mainline:
    return Mainline("example/app", Dice("test"), born_at=0)


def direct(mainline: Mainline, at: int) -> Commit:
    return next(mainline.join([WORK], Joining.SQUASH, at))


def test_a_branch_starts_where_the_main_branch_stood(mainline: Mainline) -> None:
    early = direct(mainline, 10)
    direct(mainline, 30)

    branch = mainline.branch([20, 40], WORK)

    assert branch[0].parents == (early.sha,)
    assert branch[1].parents == (branch[0].sha,)


def test_a_long_branch_takes_the_main_branch_in(mainline: Mainline) -> None:
    news = direct(mainline, 30)

    branch = mainline.branch([10, 20, 25, 28, 40], WORK)

    assert branch[-1].parents == (branch[-2].sha, news.sha)


def test_a_merge_has_two_parents(mainline: Mainline) -> None:
    branch = mainline.branch([10, 20], WORK)
    before = mainline.head

    (merge,) = mainline.join(branch, Joining.MERGE, 50)

    assert merge.parents == (before, branch[-1].sha)
    assert mainline.head == merge.sha


def test_a_squash_leaves_the_branch_behind(mainline: Mainline) -> None:
    branch = mainline.branch([10, 20], WORK)

    (squashed,) = mainline.join(branch, Joining.SQUASH, 50)

    assert squashed.parents == (mainline.root.sha,)
    assert squashed.authored_at == moment(50)


def test_a_rebase_copies_each_commit_with_its_author_date(mainline: Mainline) -> None:
    branch = mainline.branch([10, 20], WORK)

    copies = list(mainline.join(branch, Joining.REBASE, 50))

    assert [copy.authored_at for copy in copies] == [moment(10), moment(20)]
    assert [copy.committed_at for copy in copies] == [moment(50), moment(50)]
    assert {copy.sha for copy in copies}.isdisjoint(commit.sha for commit in branch)
    assert copies[1].parents == (copies[0].sha,)


@pytest.mark.slow
def test_only_so_much_of_the_past_is_remembered(mainline: Mainline) -> None:
    grown = [direct(mainline, at) for at in range(1, 2 * REMEMBERED + 1)]

    assert mainline.head == grown[-1].sha
    assert mainline.head_at(2 * DAY) == grown[-1].sha
    assert mainline.head_at(0) == grown[REMEMBERED - 1].sha  # the oldest it still knows

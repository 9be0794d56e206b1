"""What happens on a simulated GitHub moves what it would move on the real one."""

from datetime import datetime

import pytest
from github_server.things import Deployment, Kind, Pull
from github_server.world import Repo, World
from github_world import after, busy_world

from vpemetrics.demo.mainline import Joining


def empty_shop() -> Repo:
    return World().repository("acme/shop")


def shop_with_pull(size: int = 2) -> tuple[Repo, Pull]:
    shop = empty_shop()
    ada = shop.world.account("ada")
    shop.commit("Begin", author=ada, at=after(0))
    oids = [
        shop.commit(f"Step {n}", author=ada, at=after(1 + n), branch="work").oid
        for n in range(size)
    ]
    return shop, shop.open_pull("Do it", author=ada, commits=oids, at=after(5), head="work")


def states(deployment: Deployment) -> list[tuple[str, datetime]]:
    return [(one.state, one.created_at) for one in deployment.statuses]


def test_a_squash_leaves_one_commit_whose_dates_are_the_merge() -> None:
    shop, pull = shop_with_pull()
    before = shop.tip
    merged = shop.merge(pull, at=after(9))

    assert shop.tip == pull.merge_commit == merged.oid
    assert merged.parents == (before,)
    assert merged.author.date == merged.committer.date == after(9)
    assert merged.message == "Do it (#1)"
    assert pull.merged_at == pull.closed_at == pull.updated_at == after(9)


def test_a_merge_commit_keeps_the_branch_as_its_second_parent() -> None:
    shop, pull = shop_with_pull()
    before = shop.tip
    merged = shop.merge(pull, at=after(9), how=Joining.MERGE)

    assert merged.parents == (before, pull.commits[-1])
    assert merged.message.startswith("Merge pull request #1 from acme/work")


def test_a_rebase_copies_the_commits_with_the_dates_of_their_authors() -> None:
    shop, pull = shop_with_pull(2)
    merged = shop.merge(pull, at=after(9), how=Joining.REBASE)
    first = shop.commits[merged.parents[0]]

    assert [first.author.date, merged.author.date] == [after(1), after(2)]
    assert {first.committer.date, merged.committer.date} == {after(9)}
    assert not {first.oid, merged.oid} & set(pull.commits)
    assert pull.merge_commit == merged.oid


def test_a_merge_closes_the_issues_that_the_body_says_it_closes() -> None:
    shop = empty_shop()
    ada = shop.world.account("ada")
    commit = shop.commit("Begin", author=ada, at=after(0))
    issue = shop.open_issue("Down", author=ada, at=after(1))
    pull = shop.open_pull(
        "Mend", author=ada, commits=[commit.oid], at=after(2), body=f"Fixes #{issue.number}"
    )
    shop.merge(pull, at=after(3))

    assert (issue.closed_at, issue.timeline[-1].closer) == (after(3), pull)


def test_issues_and_pull_requests_share_their_numbers() -> None:
    shop, pull = shop_with_pull()
    issue = shop.open_issue("Down", author=None, at=after(6))

    assert (pull.number, issue.number) == (1, 2)


def test_a_success_makes_the_one_before_inactive_and_moves_its_time() -> None:
    shop = empty_shop()
    ada = shop.world.account("ada")
    first = shop.deploy("a" * 40, "production", at=after(0), by=ada)
    shop.say(first, "SUCCESS", at=after(1))
    second = shop.deploy("b" * 40, "production", at=after(2), by=ada)
    shop.say(second, "SUCCESS", at=after(3))

    assert states(first) == [("SUCCESS", after(1)), ("INACTIVE", after(3))]
    assert (first.state, first.updated_at) == ("INACTIVE", after(3))
    assert (second.state, second.updated_at) == ("ACTIVE", after(3))


@pytest.mark.parametrize(
    ("environment", "state"),
    [("staging", "SUCCESS"), ("production", "FAILURE")],  # elsewhere; without success
)
def test_other_environments_and_failures_leave_a_deployment_active(
    environment: str, state: str
) -> None:
    shop = empty_shop()
    ada = shop.world.account("ada")
    first = shop.deploy("a" * 40, "production", at=after(0), by=ada)
    shop.say(first, "SUCCESS", at=after(1))
    shop.say(shop.deploy("b" * 40, environment, at=after(2), by=ada), state, at=after(3))

    assert first.state == "ACTIVE"


def test_a_run_that_is_run_again_keeps_its_id_and_its_creation() -> None:
    shop = empty_shop()
    run = shop.start_run("CI", "a" * 40, at=after(0), jobs=["test"])
    shop.finish_run(run, "failure", at=after(1))
    identity = run.database_id
    shop.run_again(run, at=after(5))
    shop.finish_run(run, "success", at=after(6))

    assert (run.database_id, run.created_at) == (identity, after(0))
    assert [(one.number, one.started_at, one.conclusion) for one in run.attempts] == [
        (1, after(0), "failure"),
        (2, after(5), "success"),
    ]
    assert [job.name for job in run.latest.jobs] == ["test"]


def test_a_forced_push_says_what_was_there_before() -> None:
    shop, pull = shop_with_pull()
    before = pull.head_oid
    other = shop.commit(
        "Anew", author=shop.world.account("ada"), at=after(6), branch="work", parents=[]
    )
    shop.push(pull, [other.oid], at=after(6))

    assert [event.TYPENAME for event in pull.timeline] == ["HeadRefForcePushedEvent"]
    assert pull.timeline[0].before == before  # type: ignore[union-attr]
    assert (pull.updated_at, pull.commits) == (after(6), [other.oid])


def test_a_pull_request_from_a_fork_moves_no_branch_of_ours() -> None:
    shop = empty_shop()
    ada = shop.world.account("ada")
    first, second = (shop.commit(text, author=ada, at=after(0)).oid for text in "ab")
    pull = shop.open_pull(
        "From main", author=ada, commits=[first], at=after(1), head="main", from_fork=True
    )

    assert (shop.tip, pull.head_repo) == (second, None)


def test_a_renamed_repository_keeps_its_ids_and_is_found_by_both_names() -> None:
    world = busy_world()
    repo = world.find("acme/old-name")

    assert repo is not None
    assert repo is world.find("ACME/new-name")
    assert repo is world.repositories[repo.database_id]
    assert repo.full_name == "acme/new-name"


def test_the_name_of_a_renamed_repository_may_be_taken_by_another() -> None:
    world = World()
    old = world.repository("acme/shop")
    world.rename(old, "acme/store")
    new = world.repository("acme/shop-2")
    world.rename(new, "acme/shop")

    assert world.find("acme/shop") is new
    assert world.find("acme/store") is old


def test_a_bot_is_known_by_the_end_of_its_login() -> None:
    world = World()

    assert world.account("renovate[bot]").kind is Kind.BOT
    assert world.account("renovate[bot]") is world.account("renovate")
    assert world.account("ada").kind is Kind.USER

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from gitrepository import BEGIN, GitRepository, collected, copy_of, new_repository

from vpemetrics.records import AuthorKind, Commit, Coverage, Repository
from vpemetrics.rules import Rules, Service

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    """A repository with a release and something merged."""
    return copy_of(release_and_merges, tmp_path / "shop")


def release_and_merges(repository: GitRepository) -> None:
    repository.commit("Begin")
    repository.tag("v1.0")
    squash(repository, 1)
    merge(repository, 2)


def squash(shop: GitRepository, number: int, onto: str = "main") -> None:
    shop.branch(f"pull-{number}", onto)
    shop.commit("One")
    shop.commit("Two")
    shop.git("update-ref", f"refs/pull/{number}/head", "HEAD")
    shop.switch(onto)
    shop.commit(f"Mend (#{number})")


def merge(shop: GitRepository, number: int, onto: str = "main") -> None:
    shop.branch(f"pull-{number}", onto)
    shop.commit("One")
    shop.switch(onto)
    shop.commit("Directly")
    shop.merge(f"pull-{number}", f"Merge pull request #{number} from acme/part")


def a_force_push(shop: GitRepository) -> None:
    shop.git("update-ref", "HEAD", "HEAD~2")
    squash(shop, 3)


def a_forgotten_history(shop: GitRepository) -> None:
    old = shop.head()
    a_force_push(shop)
    shop.git("update-ref", "-d", "refs/heads/pull-2")
    shop.git("reflog", "expire", "--expire=now", "--all")
    shop.git("gc", "-q", "--prune=now")
    with pytest.raises(AssertionError):
        shop.git("cat-file", "-e", old)


def a_foxtrot(shop: GitRepository) -> None:
    """Main merged into a branch that then becomes main."""
    old = shop.head()
    shop.branch("ours", "HEAD~1")
    shop.commit("Ours")
    shop.merge(old, "Merge branch 'main'")
    shop.git("update-ref", "refs/heads/main", "HEAD")
    shop.switch("main")


def a_release_off_the_branch(shop: GitRepository) -> None:
    shop.branch("1.x", "v1.0")
    squash(shop, 5, "1.x")
    shop.commit("Mend (#1)")
    shop.tag("v1.1", message="Maintenance")
    shop.switch("main")


def a_maintenance_branch_merged_up(shop: GitRepository) -> None:
    a_release_off_the_branch(shop)
    shop.merge("1.x", "Merge branch '1.x'")


def a_branch_in_a_branch(shop: GitRepository) -> None:
    shop.branch("feature")
    merge(shop, 6, "feature")
    squash(shop, 7, "feature")
    shop.switch("main")
    shop.merge("feature", "Merge pull request #8 from acme/feature")


def another_repository(shop: GitRepository) -> None:
    """Its history is merged, with numbers of its own; what was done there later may follow."""
    known = shop.git("for-each-ref", "--format=%(objectname)", "refs/theirs")
    begin = ["-p", known] if known else []
    tree = shop.git("write-tree")
    first = shop.git("commit-tree", *begin, "-m", "Theirs", tree)
    theirs = shop.git("commit-tree", "-p", first, "-m", "Their fix (#2)", tree)
    shop.git("update-ref", "refs/theirs", theirs)
    shop.merge(theirs, "Merge the other one")


def a_release(shop: GitRepository) -> None:
    shop.tag("v2.0")


def an_old_commit_released(shop: GitRepository) -> None:
    shop.tag("v1.5", at="HEAD~1", message="Late")


def a_renamed_branch(shop: GitRepository) -> None:
    shop.git("branch", "-m", "main", "trunk")
    shop.switch("trunk")
    shop.commit()


def nothing(shop: GitRepository) -> None:
    """All stays as it is."""


STEPS: list[Callable[[GitRepository], None]] = [
    nothing,
    a_release,
    an_old_commit_released,
    a_force_push,
    a_forgotten_history,
    a_foxtrot,
    a_release_off_the_branch,
    a_maintenance_branch_merged_up,
    a_branch_in_a_branch,
    another_repository,
    a_renamed_branch,
    lambda shop: squash(shop, 9),
    lambda shop: merge(shop, 9),
    lambda shop: squash(shop, 1),  # a number met again
]


@pytest.mark.slow
@pytest.mark.parametrize("deployments", ["tags", "commits"])
@pytest.mark.parametrize("step", STEPS)
def test_a_second_collection_tells_what_one_of_everything_does(
    shop: GitRepository, step: Callable[[GitRepository], None], deployments: str
) -> None:
    found = collected(shop.path, deployments=deployments)
    step(shop)
    found.again()
    whole = collected(shop.path, deployments=deployments)

    assert {key: found.known[key] for key in whole.known} == whole.known
    assert found.changes == whole.changes
    assert deployments == "commits" or found.deployments == whole.deployments


def test_another_repositorys_numbers_are_none_of_ours(shop: GitRepository) -> None:
    found = collected(shop.path)
    before = found.changes
    for _ in range(2):
        another_repository(shop)
        found.again()

    assert found.changes == before == collected(shop.path).changes


@pytest.mark.parametrize("deployments", ["tags", "commits"])
@pytest.mark.slow
def test_many_collections_tell_what_one_does(shop: GitRepository, deployments: str) -> None:
    found = collected(shop.path, deployments=deployments)
    for number in range(20, 26):
        squash(shop, number)
        found.again()
        merge(shop, number + 10)
        shop.tag(f"v2.{number}")
        found.again()

    assert found.known == collected(shop.path, deployments=deployments).known


def test_a_second_collection_reads_only_what_is_new(shop: GitRepository) -> None:
    found = collected(shop.path)
    squash(shop, 9)
    shop.tag("v2.0")
    found.again()

    new = [record for record in found.new if not isinstance(record, Repository | Coverage)]
    keys = {record.key for record in new}
    assert {"acme/shop#9", "v2.0", f"{shop.head()} of acme/shop"} <= keys
    assert len(new) == 5  # a pull request, its two commits, its squash and a deployment


def test_with_nothing_new_nothing_is_told(shop: GitRepository) -> None:
    found = collected(shop.path)

    assert found.again().new == []


def test_only_a_later_fetch_moves_what_is_covered(shop: GitRepository) -> None:
    found = collected(shop.path)
    found.now += timedelta(days=1)
    found.again()

    assert {type(record) for record in found.new} == {Repository, Coverage}
    assert found.coverage["commits", "acme/shop"] == (BEGIN + MINUTE, found.now)


def test_heads_that_come_later_mend_what_was_told(shop: GitRepository) -> None:
    head = shop.git("rev-parse", "refs/pull/1/head")
    shop.git("update-ref", "-d", "refs/pull/1/head")
    found = collected(shop.path)
    assert found.changes[1].commit_shas == ()

    shop.git("update-ref", "refs/pull/1/head", head)
    assert found.again().changes[1].commit_shas[-1] == head
    assert found.warnings == []
    assert found.again().new == []


def test_a_moved_tag_takes_its_deployment_along(shop: GitRepository) -> None:
    found = collected(shop.path)
    shop.tag("v1.0")

    assert found.again().deployments["v1.0"].commit_sha == shop.head()


def test_a_deleted_tag_stays_a_deployment(shop: GitRepository) -> None:
    found = collected(shop.path)
    shop.git("tag", "-d", "v1.0")

    assert list(found.again().deployments) == ["v1.0"]


def test_changed_settings_read_all_again(shop: GitRepository) -> None:
    found = collected(shop.path)
    found.rules = replace(found.rules, bots=("ada*",))

    assert {commit.author_kind for commit in found.again().of(Commit)} == {AuthorKind.AUTOMATION}


def test_a_position_of_an_older_version_reads_all_again(shop: GitRepository) -> None:
    found = collected(shop.path)
    whole = found.known
    found.cursors = dict.fromkeys(found.cursors, '{"tip": "x"}')
    found.known = {}

    assert found.again().known == whole


def test_every_commit_of_the_branch_is_a_deployment_if_configured(shop: GitRepository) -> None:
    found = collected(shop.path, deployments="commits", environment="live").deployments
    line = shop.git("rev-list", "--first-parent", "main").split()

    assert {one.commit_sha for one in found.values()} <= set(line)
    assert {one.environment for one in found.values()} == {"live"}
    assert all(one.finished_at for one in found.values())


def test_commits_that_arrive_together_are_one_deployment(tmp_path: Path) -> None:
    """Those within a minute of the first; one that is dated before its parent came with it."""
    shop = new_repository(tmp_path / "shop")
    line = [pushed(shop, seconds) for seconds in (0, 30, 60, 61, 200, 190, 259, 261)]

    found = collected(shop.path, deployments="commits").deployments

    assert [(one.id, one.commit_sha, one.finished_at) for one in found.values()] == [
        (line[0], line[2], BEGIN + timedelta(seconds=60)),
        (line[3], line[3], BEGIN + timedelta(seconds=61)),
        (line[4], line[6], BEGIN + timedelta(seconds=259)),
        (line[7], line[7], BEGIN + timedelta(seconds=261)),
    ]


def test_what_arrives_with_what_was_collected_joins_it(tmp_path: Path) -> None:
    shop = new_repository(tmp_path / "shop")
    pushed(shop, 0)
    found = collected(shop.path, deployments="commits")
    for seconds in (30, 60, 61, 61, 200, 0, 259):
        pushed(shop, seconds)
        found = found.again()

    assert found.known == collected(shop.path, deployments="commits").known


def test_a_clock_that_went_wrong_moves_no_other_deployment(tmp_path: Path) -> None:
    shop = new_repository(tmp_path / "shop")
    pushed(shop, 0)
    pushed(shop, 40 * 365 * 86_400)
    pushed(shop, 300)

    found = collected(shop.path, deployments="commits").deployments

    assert [one.finished_at for one in found.values()] == [BEGIN, BEGIN + timedelta(minutes=5)]


def pushed(shop: GitRepository, seconds: int) -> str:
    """A commit on main so long after the beginning."""
    shop.at = BEGIN + timedelta(seconds=seconds) - MINUTE  # a commit takes one
    return shop.commit()


def test_without_deployments_the_history_is_told_alone(shop: GitRepository) -> None:
    found = collected(shop.path, deployments="none")

    assert found.deployments == {}
    assert found.warnings == []
    assert {kind for kind, _ in found.coverage} == {"commits", "pull_requests"}


def test_deployments_before_a_date_are_left_out(shop: GitRepository) -> None:
    shop.at += timedelta(days=30)
    shop.commit()
    shop.tag("v2.0")
    found = collected(shop.path, since=date(2026, 3, 10))

    assert list(found.deployments) == ["v2.0"]
    begin = found.coverage["deployments", "acme/shop"][0]
    assert begin.date() == date(2026, 3, 10)
    assert found.coverage["commits", "acme/shop"][0] == BEGIN + MINUTE


def test_each_prefix_is_a_service_that_is_covered(shop: GitRepository) -> None:
    shop.tag("web/v1.0")
    found = collected(shop.path)

    assert found.deployments["web/v1.0"].service == "web"
    assert {scope for kind, scope in found.coverage if kind == "deployments"} == {
        "acme/shop",
        "web",
    }


def test_paths_are_read_where_a_service_has_patterns(shop: GitRepository) -> None:
    sha = shop.commit(path="web/kä se.py")
    merged = shop.git("rev-list", "--merges", "-1", "main")
    first = shop.git("rev-list", "--max-parents=0", "main")
    service = Service(name="web", paths=("web/**",), repository="acme/shop")
    found = collected(shop.path, Rules(services=(service,)))

    assert found.commits[sha].paths == ("web/kä se.py",)
    assert found.commits[merged].paths is None
    assert found.commits[first].paths == ("file1",)
    assert all(c.paths is not None for c in found.commits.values() if len(c.parents) < 2)


def test_paths_are_not_read_for_another_repository(shop: GitRepository) -> None:
    service = Service(name="web", paths=("web/**",), repository="acme/cart")
    found = collected(shop.path, Rules(services=(service,)))

    assert {commit.paths for commit in found.commits.values()} == {None}


@pytest.mark.parametrize(
    ("name", "email", "kind"),
    [
        ("Ada", "ada@example.org", None),
        ("Claude", "claude@example.org", None),  # a first name
        ("Claude", "noreply@anthropic.com", AuthorKind.AGENT),
        ("devin-ai-integration[bot]", "devin@example.org", AuthorKind.AGENT),
        (
            "copilot-swe-agent[bot]",
            "198982749+Copilot@users.noreply.github.com",
            AuthorKind.AGENT,
        ),
        ("dependabot[bot]", "support@github.com", AuthorKind.AUTOMATION),
        ("Dependabot", "49699333+dependabot[bot]@users.noreply.github.com", AuthorKind.AUTOMATION),
        ("govuk-ci", "ci@example.org", AuthorKind.AUTOMATION),
        ("CI", "govuk-ci@users.noreply.github.com", AuthorKind.AUTOMATION),
    ],
)
def test_automation_is_known_by_name_address_or_account(
    shop: GitRepository, name: str, email: str, kind: AuthorKind | None
) -> None:
    sha = shop.commit(by=(name, email))

    assert collected(shop.path, Rules(bots=("govuk-ci",))).commits[sha].author_kind is kind

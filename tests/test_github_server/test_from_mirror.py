"""A GitHub made of a mirror holds what the git source tells of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from github_server.from_mirror import Deployed, mirrored
from github_server.things import Kind
from github_server.world import Repo
from gitrepository import BEGIN, GitRepository, collected, new_repository

BOT = ("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com")
BOB = ("Bob", "7+bob-the-coder@users.noreply.github.com")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A merge from a fork's main, a squash, its revert, and tags of both kinds."""
    repository = new_repository(tmp_path_factory.mktemp("mirror") / "repo")
    root = repository.commit("Begin")
    repository.branch("work")
    head_of_merge = [repository.commit(f"Step {n}", by=BOB) for n in range(2)][-1]
    repository.switch("main")
    repository.merge("work", "Merge pull request #1 from bob/main\n\nAdd steps")
    repository.branch("update", root)
    head_of_squash = [repository.commit(f"Bump {n}", by=BOT) for n in range(3)][-1]
    repository.switch("main")
    squash = repository.commit("Update things (#2)", by=BOT)
    repository.tag("v1.0.0")
    repository.commit(
        f'Revert "Update things (#2)" (#3)\n\nReverts #2\n\nThis reverts commit {squash}.'
    )
    repository.tag("v1.0.1", squash, message="Made later")
    for number, head in ((1, head_of_merge), (2, head_of_squash)):
        repository.git("update-ref", f"refs/pull/{number}/head", head)
    return repository


@pytest.fixture(scope="module")
def repo(made: GitRepository) -> Repo:
    return mirrored(made.path, "acme/shop").repository("acme/shop")


def test_commits_and_their_order_are_those_of_git(made: GitRepository, repo: Repo) -> None:
    told = collected(made.path).commits

    assert repo.tip == made.head()
    assert {one.oid for one in repo.walks.behind(repo.tip, repo.commits)} <= set(told)
    for oid, one in told.items():
        ours = repo.commits[oid]
        assert ours.parents == one.parents
        assert (ours.author.date, ours.committer.date) == (one.authored_at, one.committed_at)


def test_pull_requests_are_those_of_the_git_source(made: GitRepository, repo: Repo) -> None:
    told = collected(made.path).changes

    assert sorted(repo.pulls) == sorted(told) == [1, 2, 3]
    for number, one in told.items():
        pull = repo.pulls[number]
        assert tuple(pull.commits) == one.commit_shas
        assert (pull.merge_commit, pull.merged_at) == (one.merge_commit_sha, one.merged_at)
        assert (pull.title, pull.base) == (one.title, one.base_branch)
    assert [len(one.commits) for one in repo.pulls.values()] == [2, 3, 0]
    assert repo.pulls[3].body == "Reverts #2"


def test_a_pull_request_opens_with_its_last_commit_and_by_its_author(repo: Repo) -> None:
    merged, squashed, _ = repo.pulls.values()

    assert squashed.created_at == repo.commits[squashed.commits[-1]].committer.date
    assert squashed.created_at < (squashed.merged_at or squashed.created_at)
    assert merged.author is not None
    assert merged.author.login == "bob-the-coder"
    assert squashed.author is not None
    assert (squashed.author.login, squashed.author.kind) == ("renovate", Kind.BOT)


def test_tags_are_annotated_where_they_were_made_later(made: GitRepository, repo: Repo) -> None:
    light, later = (repo.tags[name] for name in ("v1.0.0", "v1.0.1"))
    tagger = repo.tag_objects[later].tagger

    assert light in repo.commits
    assert repo.commit_of_tag("v1.0.1") == light
    assert tagger is not None
    assert tagger.date == made.at


def test_deployments_are_those_that_are_given(made: GitRepository) -> None:
    tip, hour = made.head(), timedelta(hours=1)
    given = [
        Deployed(tip, BEGIN + 5 * hour),
        Deployed(tip, BEGIN + 3 * hour, "staging"),
        Deployed(tip, BEGIN + 9 * hour),
    ]
    repo = mirrored(made.path, "acme/shop", given).repository("acme/shop")

    assert [
        (one.environment, one.created_at, [said.state for said in one.statuses])
        for one in repo.deployments.values()
    ] == [
        ("staging", BEGIN + 3 * hour, ["SUCCESS"]),
        ("production", BEGIN + 5 * hour, ["SUCCESS", "INACTIVE"]),
        ("production", BEGIN + 9 * hour, ["SUCCESS"]),
    ]


def test_an_empty_repository_has_nothing(tmp_path: Path) -> None:
    new_repository(tmp_path)
    repo = mirrored(tmp_path, "acme/empty").repository("acme/empty")

    assert (repo.tip, dict(repo.commits), repo.pulls) == (None, {}, {})

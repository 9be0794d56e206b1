from datetime import timedelta
from pathlib import Path

import pytest
from gitrepository import BEGIN, GitRepository, collected, new_repository

from vpemetrics.records import Repository, Status

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    return new_repository(tmp_path / "shop")


def test_a_version_tag_is_a_deployment_to_production(shop: GitRepository) -> None:
    sha = shop.commit()
    shop.tag("v1.0")

    found = collected(shop.path).deployments["v1.0"]
    assert (found.commit_sha, found.version, found.environment) == (sha, "v1.0", "production")
    assert (found.status, found.service, found.repository) == (
        Status.SUCCEEDED,
        None,
        "acme/shop",
    )
    assert found.finished_at == BEGIN + MINUTE  # a light tag: when the commit was made


def test_an_annotated_tag_was_deployed_when_it_was_made(shop: GitRepository) -> None:
    shop.commit()
    shop.tag("v1.0", message="Release")

    assert collected(shop.path).deployments["v1.0"].finished_at == BEGIN + 2 * MINUTE


def test_a_tag_of_a_tag_is_followed_to_its_commit(shop: GitRepository) -> None:
    first = shop.commit()
    shop.tag("signed", message="what was signed")
    shop.tag("v1.0", at="signed", message="Release")
    shop.tag("v1.1", at="v1.0", message="and of that")
    blob = shop.git("hash-object", "-w", "--stdin", given="a key")
    shop.tag("key", at=blob, message="of no commit")
    shop.tag("v9", at="key", message="nor is this")

    found = collected(shop.path).deployments

    assert {name: one.commit_sha for name, one in found.items()} == {"v1.0": first, "v1.1": first}


def test_a_tag_may_name_its_environment(shop: GitRepository) -> None:
    for name in ("staging/v1.0", "web-prod-v1.0", "v0.9"):
        shop.commit()
        shop.tag(name)

    found = collected(shop.path).deployments.values()
    assert [(one.id, one.environment, one.service) for one in found] == [
        ("staging/v1.0", "staging", None),
        ("web-prod-v1.0", "production", "web"),
        ("v0.9", "production", None),
    ]
    [chosen] = collected(shop.path, tags=("staging/*",)).deployments.values()
    assert chosen.environment == "production"  # as somebody said


def test_the_whole_graph_is_told(shop: GitRepository) -> None:
    first = shop.commit()
    second = shop.commit()
    found = collected(shop.path)

    assert found.commits[second].parents == (first,)
    assert found.commits[first].parents == ()
    assert found.commits[first].authored_at == BEGIN + MINUTE
    assert found.commits[first].author == "ada@example.org"
    [repository] = found.of(Repository)
    assert (repository.name, repository.default_branch) == ("acme/shop", "main")


def test_a_clone_in_the_home_is_found(shop: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.commit()
    shop.tag("v1.0")
    monkeypatch.setenv("HOME", str(shop.path.parent))

    assert [*collected(Path("~/shop")).deployments] == ["v1.0"]

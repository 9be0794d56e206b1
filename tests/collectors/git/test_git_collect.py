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

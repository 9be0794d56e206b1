"""A first look at clones."""

from datetime import timedelta
from pathlib import Path

import pytest
from gitrepository import NOW, GitRepository, new_repository

from vpemetrics.collectors.discovery import RepositoryOverview
from vpemetrics.collectors.git.clone import look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.survey import overview_of


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return new_repository(tmp_path / "shop")


def sight(repository: GitRepository) -> RepositoryOverview:
    return overview_of(look_at(Git(path=repository.path)), NOW)


def test_versions_and_commits_of_late_are_counted(repository: GitRepository) -> None:
    for days, tag in ((91, "v1.0"), (89, "v1.1"), (10, "v1.2-rc1"), (5, "nightly"), (1, "v1.2")):
        repository.at = NOW - timedelta(days=days)
        repository.commit()
        repository.tag(tag)

    found = sight(repository)

    assert (found.tags.tally.count, found.tags.ever) == (2, 3)
    assert found.tags.services == ("",)
    assert found.merges.count == 4


@pytest.mark.parametrize(
    ("tag", "folders", "found"),
    [
        ("cart/v1.0", ["services/cart"], "services/cart"),
        ("@acme/cart@1.0", ["packages/cart"], "packages/cart"),
        ("cart-v1.0", ["apps/Cart"], "apps/Cart"),
        ("cart/v1.0", ["services/cart", "services/cart/tests/cart"], "services/cart"),
        ("cart/v1.0", ["services/cart", "tests/cart"], None),  # nothing says which of them
        ("cart/v1.0", ["services/basket"], None),
        ("v1.0", ["cart"], None),
    ],
)
def test_a_service_has_the_folder_of_its_name(
    repository: GitRepository, tag: str, folders: list[str], found: str | None
) -> None:
    for folder in folders:
        repository.commit(path=f"{folder}/file")
    repository.tag(tag)

    assert list(sight(repository).tags.folders.values()) == ([found] if found else [])


def test_what_was_last_released_a_year_before_all_else_is_no_service_any_more(
    repository: GitRepository,
) -> None:
    for days, tag in ((900, "old/v1"), (500, "cart/v1"), (200, "shop/v1")):
        repository.at = NOW - timedelta(days=days)
        repository.commit(path=f"{tag.partition('/')[0]}/file")
        repository.tag(tag)

    assert sight(repository).tags.services == ("", "cart")


def test_versions_of_one_commit_are_one_as_they_are_when_collected(
    repository: GitRepository,
) -> None:
    repository.at = NOW - timedelta(days=9)
    repository.commit()
    repository.tag("v3.11.0")
    repository.tag("v0.311.0")

    found = sight(repository).tags

    assert (found.tally.count, found.ever) == (1, 1)


def test_a_merge_is_one_commit_of_the_branch(repository: GitRepository) -> None:
    repository.at = NOW - timedelta(days=9)
    repository.commit()
    repository.branch("work")
    repository.commit()
    repository.commit()
    repository.switch("main")
    repository.merge("work", "Merge pull request #1 from acme/work")

    assert sight(repository).merges.count == 2


def test_versions_may_name_services(repository: GitRepository) -> None:
    repository.at = NOW - timedelta(days=9)
    repository.commit()
    repository.tag("web-v1.0")
    repository.tag("api/v2.0", message="annotated")

    assert sight(repository).tags.services == ("api", "web")


@pytest.mark.parametrize("path", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
def test_owners_are_read_from_the_branch(repository: GitRepository, path: str) -> None:
    repository.commit(path=path)
    repository.commit(path="catalog-info.yaml")
    (repository.path / path).unlink()  # what is checked out does not matter

    found = sight(repository)

    assert (found.codeowners, found.catalog) == ("1", "2")


def test_an_empty_repository_shows_nothing(repository: GitRepository) -> None:
    assert sight(repository) == RepositoryOverview(repository="shop")

"""Texts that anybody may write: what they say is taken for no more than it is, and in no time."""

from pathlib import Path
from time import process_time

import pytest
from github_nodes import NAMING
from gitrepository import GitRepository, collected, new_repository

from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.github.record_builder import mentions, root_cause
from vpemetrics.collectors.gitops.service_repositories import resolve
from vpemetrics.records import Commit
from vpemetrics.store import Store
from vpemetrics.version_tags import Tag, deployed_tags

pytestmark = pytest.mark.slow

MOST = 65_536
"""The characters of a comment on GitHub: https://github.com/orgs/community/discussions/41331."""


@pytest.mark.parametrize(
    "text",
    [
        ".",
        "\n",
        " \n",
        "a.",
        "a..a/",
        "-\n*_",
        "<!--",
        "https://a/",
        "root cause ",
        "GH-",
        "![",
        "<a ",
    ],
)
def test_no_comment_takes_long_to_read(text: str) -> None:
    comment = f"> #1\n\n{text * MOST}"[:MOST]
    begun = process_time()

    assert mentions(comment, NAMING) == ()
    assert root_cause([comment], NAMING) is None

    assert process_time() - begun < 5  # the longest took minutes


@pytest.mark.parametrize("text", ["#{}", "https://github.com/acme/desk/issues/{}", "GH-{}"])
def test_a_number_that_no_issue_has_names_none(text: str) -> None:
    endless = text.format("9" * 5_000)

    assert mentions(endless, NAMING) == ()
    assert root_cause([f"root cause: {endless}"], NAMING) is None


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    shop = new_repository(tmp_path / "shop")
    shop.commit("Add the till (#1)")
    shop.tag("v1.0.0")
    shop.commit("Mend the till (#2)")
    return shop


@pytest.mark.parametrize(
    "version", ["1.0.0^{/till}", "1.0.0~1", "1.0.0..HEAD", "1.0.0@{0}", "1.0.0:file1", "1.0.0^0"]
)
def test_a_version_is_looked_for_by_its_name_and_in_no_other_way(
    shop: GitRepository, version: str
) -> None:
    git = Git(path=shop.path)

    assert resolve(git, "shop", ["1.0.0", version], None).keys() == {"1.0.0"}


def test_an_address_that_calls_itself_hidden_is_hidden(tmp_path: Path) -> None:
    """What the product writes for an author begins with `h:`, and so may an address."""
    with Store.open(tmp_path / "x.db") as store:
        store.save("s", [Commit(sha="1" * 40, repository="acme/shop", author="h:ada@example.org")])

        [author] = [getattr(record, "author", None) for _, record in store.records("commits")]

    assert str(author).startswith("h:")
    assert "ada" not in str(author)


def test_what_is_named_beyond_all_bounds_fits_into_any_store(
    shop: GitRepository, location: str
) -> None:
    with (shop.path / ".git" / "config").open("a", encoding="utf-8") as file:
        file.write(f'[remote "origin"]\n\turl = https://example.com/{"a/" * 5_000}\n')
    with (shop.path / ".git" / "packed-refs").open("a", encoding="ascii") as file:
        file.write(f"{shop.head()} refs/tags/{'a' * 5_000}-v1\n")
        file.write(f"{shop.head()} refs/heads/{'a' * 5_000}\n")
    told = collected(shop.path, repository=None, tags=("*",))

    with Store.open(location) as store:
        store.save("git", told.known.values())

    assert told.deployments.keys() == {"v1.0.0"}
    assert {commit.repository for commit in told.commits.values()} == {"shop"}


def test_a_tag_that_no_file_could_have_was_no_deployment() -> None:
    tags = [Tag("v1.0", "1" * 40, "1"), Tag(f"v2.{'0' * 300}", "2" * 40, "2")]

    assert deployed_tags(tags, ()) == deployed_tags(tags, ("*",)) == tags[:1]

"""What a check says of a clone."""

import pytest
from gitrepository import ADA, GitRepository, new_repository

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.git.check import check
from vpemetrics.collectors.git.options import Options
from vpemetrics.rules import Rules


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A repository of twenty commits, each fifth of a robot that no list has."""
    made = new_repository(tmp_path_factory.mktemp("check") / "shop")
    for number in range(20):
        made.commit(by=ADA if number % 5 else ("acme-bot", "robot@acme.example"))
    return made


@pytest.mark.parametrize(("bots", "named"), [((), True), (("acme-*",), False)])
def test_an_author_who_looks_like_automation_is_named(
    shop: GitRepository, bots: tuple[str, ...], named: bool
) -> None:
    context = CollectionContext(source="shop", now=shop.at, rules=Rules(bots=bots))

    found = [one for one in check(Options(path=str(shop.path)), context) if one.topic == "authors"]

    assert bool(found) is named
    assert all("acme-bot (20%)" in one.text for one in found)

"""Problems of the data that clones know of: original commits they lack, merges in odd words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gitrepository import NOW, GitRepository, new_repository
from stored import empty_store

from vpemetrics.collectors.git.options import Options
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.sources import Source
from vpemetrics.rules import Rules, Service
from vpemetrics.store import Store
from vpemetrics.usecases.clone_problems import ODD_MERGES, REASON, with_clone_problems
from vpemetrics.usecases.collecting import collect
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import parse_month

RULES = Rules(services=(Service(name="till", team="money", repository="acme/bank"),))


LACKING = {"bank": 1, "shop": 3, "tool": 2}


def cloned(folder: Path, name: str, squashes: int) -> Source:
    """A clone with so many squashed pull requests between two releases in March."""
    repository = new_repository(folder / name)
    repository.git("remote", "add", "origin", f"https://github.com/acme/{name}.git")
    repository.at = datetime(2026, 3, 2, tzinfo=UTC)
    repository.commit("Begin")
    repository.tag("v1.0")
    for number in range(1, squashes + 1):
        repository.commit(f"Mend it (#{number})")
    repository.tag("v1.1")
    return Source(
        name=name, collector=collector_of("git"), options=Options(path=name), folder=folder
    )


def collect_all(store: Store, sources: Sequence[Source]) -> None:
    """Collects clones into a store."""
    for source in sources:
        collect(
            store,
            source,
            RULES,
            clock=lambda: NOW,
            warn=lambda _text: None,
            progress=lambda _done, _of: None,
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "clone"),
    [
        (Asked(), "shop"),  # lacks most of all
        (Asked(service="till"), "bank"),  # built from it, by the configuration
        (Asked(team="money"), "bank"),
        (Asked(service="acme/tool"), "tool"),  # goes by its repository's name
    ],
)
def test_the_fetch_is_for_a_clone_that_the_scope_is_built_from(
    tmp_path: Path, asked: Asked, clone: str
) -> None:
    sources = [cloned(tmp_path, name, lacks) for name, lacks in LACKING.items()]
    with empty_store() as store:
        collect_all(store, sources)
        found = report(store, RULES, replace(asked, window=parse_month("2026-03", "UTC")))
        problems = with_clone_problems(found, RULES, store, sources).problems

    commands = {problem.reason: problem.command for problem in problems}
    assert (commands[REASON] or "").startswith(f"git -C {tmp_path / clone} fetch origin ")


def test_nothing_is_fetched_where_nothing_is_missing(tmp_path: Path) -> None:
    sources = [cloned(tmp_path, "shop", 0)]
    with empty_store() as store:
        collect_all(store, sources)
        found = report(store, RULES, Asked(window=parse_month("2026-03", "UTC")))

        assert with_clone_problems(found, RULES, store, sources) is found


def test_merges_that_are_not_understood_are_told_in_every_report(tmp_path: Path) -> None:
    sources = [cloned(tmp_path, "shop", 0)]
    shop = GitRepository(path=tmp_path / "shop", at=NOW - timedelta(days=30))
    shop.git("checkout", "-q", "-b", "topic")
    shop.commit("Work")
    shop.git("checkout", "-q", "main")
    odd = shop.merge("topic", message="Landed change request 7 of topic")
    with empty_store() as store:
        for _ in range(2):
            collect_all(store, sources)
            shop.commit("Go on")
        asked = Asked(window=parse_month("2026-03", "UTC"))
        problems = with_clone_problems(report(store, RULES, asked), RULES, store, sources).problems

    found = {problem.reason: problem for problem in problems}[ODD_MERGES]
    assert (found.count, found.examples) == (1, (odd[:12],))
    assert found.remedy

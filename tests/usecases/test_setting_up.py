"""A configuration is proposed for whatever sources discover; forges are made up here."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from vpemetrics.collectors.base import DiscoveryContext
from vpemetrics.collectors.discovery import (
    EnvironmentOverview,
    Forge,
    ForgeAnswers,
    LocalRepository,
    RepositoryOverview,
    Setting,
    SourceProposal,
    Survey,
    Tally,
    Versions,
)
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.remotes import parse_remote
from vpemetrics.config.proposals import Proposal
from vpemetrics.config.writing import render
from vpemetrics.errors import FixConfiguration, FixInput
from vpemetrics.usecases.environment_scan import EnvironmentScan
from vpemetrics.usecases.setting_up import Conversation, propose, wanted_forge
from vpemetrics.usecases.setup_questions import SetupQuestion

NOW = datetime(2026, 9, 7, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class MadeUpForge(Forge):
    """A forge whose every repository is deployed to `live`, and is tagged."""

    called: str
    type: ClassVar[str] = "madeup"
    title: ClassVar[str] = "Madeup"
    examples: ClassVar[str] = "a/b or a/*"
    hint: ClassVar[str] = "a/* takes all of a"
    tokens: ClassVar[str] = "MADEUP_TOKEN"
    remedy: ClassVar[str] = "set MADEUP_TOKEN"

    def check(self, names: tuple[str, ...]) -> None:
        if any("/" not in name for name in names):
            raise ValueError("each has an owner")

    def suggest(self) -> Sequence[str]:
        return ("acme/mine",)

    def survey(self, names: Sequence[str], progress: Callable[[int, int], None]) -> Survey:
        progress(len(names), len(names))
        known = [name for name in names if not name.endswith("/gone")]
        return Survey(
            overviews=tuple(map(overview, known)),
            trouble=tuple(f"{name}: gone" for name in names if name not in known),
        )

    def propose(self, answers: ForgeAnswers) -> SourceProposal:
        rules = [rule.kind for rule in answers.deployments]
        return SourceProposal(
            name=self.called,
            type=self.type,
            lines=(
                Setting(key="repositories", value=answers.repositories),
                Setting(key="deployments", value=tuple(rules)),
            ),
        )


def overview(name: str) -> RepositoryOverview:
    live = EnvironmentOverview(name="live", production=True, deployments=Tally(count=7))
    tags = Versions(tally=Tally(count=3), ever=3)
    return RepositoryOverview(repository=name, environments=(live,), tags=tags)


@dataclass(frozen=True, kw_only=True)
class MadeUpClone(LocalRepository):
    """A clone with three version tags."""

    def survey(self) -> RepositoryOverview:
        return RepositoryOverview(
            repository=self.clone.name, tags=Versions(tally=Tally(count=3), ever=3)
        )

    def propose(self, name: str, deployments: str, why: str) -> SourceProposal:
        setting = Setting(key="deployments", value=deployments, remark=why)
        return SourceProposal(name=name, type="git", lines=(setting,))


def clone(host: str, name: str) -> Clone:
    return Clone(
        git=Git(path=Path(host) / name),
        remote=parse_remote("origin", f"https://{host}/{name}.git"),
        branch="main",
        tip=None,
        tags=(),
        pulls={},
        boundary=frozenset(),
        seen_at=NOW,
        folder=name,
    )


def forge(host: str, *clones: Clone, token: str | None = "env:MADEUP_TOKEN") -> MadeUpForge:
    return MadeUpForge(host=host, token=token, clones=clones, called=host.partition(".")[0])


def scan(forges: Sequence[Forge], *others: Clone, **more: Any) -> EnvironmentScan:
    clones = (*(clone for forge in forges for clone in forge.clones), *others)
    local = tuple(MadeUpClone(clone=found) for found in clones)
    return EnvironmentScan(clones=clones, forges=tuple(forges), local=local, **more)


@dataclass(kw_only=True)
class Person:
    """Takes every proposal, and remembers what was asked and told."""

    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def answer(self, question: SetupQuestion) -> str:
        question.understand(question.proposed)
        self.asked.append(question.text)
        return question.proposed

    @contextmanager
    def progress(self, _what: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda _done, _of: None

    def proposed(self, found: EnvironmentScan, *wanted: str) -> Proposal:
        talk = Conversation(
            ask=self.answer,
            tell=self.told.append,
            warn=self.warned.append,
            progress=self.progress,
        )
        return propose(found, wanted, talk, "UTC")


def sources(proposal: Proposal) -> dict[str, Any]:
    """The sources as the written file says them."""
    found: dict[str, Any] = tomllib.loads(render(proposal, date(2026, 9, 7)))["sources"]
    return found


SHOP, TILL, MAIL = (
    clone("a.example", "acme/shop"),
    clone("b.example", "acme/till"),
    clone("elsewhere.example", "acme/mail"),
)


def test_each_forge_that_clones_came_from_is_asked_and_git_is_left_the_others() -> None:
    person = Person()

    proposal = person.proposed(scan([forge("a.example", SHOP), forge("b.example", TILL)], MAIL))

    assert person.asked.count("Repositories on Madeup (a/* takes all of a)") == 2
    assert sources(proposal) == {
        "a": {"type": "madeup", "repositories": ["acme/shop"], "deployments": ["environments"]},
        "b": {"type": "madeup", "repositories": ["acme/till"], "deployments": ["environments"]},
        "mail": {"type": "git", "deployments": "tags"},
    }
    assert [service.name for service in proposal.services] == ["shop", "till", "mail"]
    assert proposal.production == ("live", "production")  # what git tells of is the latter


def test_two_forges_of_one_type_are_two_sources() -> None:
    here = MadeUpForge(host="a.example", token="env:A", clones=(SHOP,), called="madeup")
    there = MadeUpForge(host="b.example", token="env:B", clones=(TILL,), called="madeup")

    proposal = Person().proposed(scan([here, there]))

    assert list(sources(proposal)) == ["madeup", "madeup-2"]


def test_a_forge_without_a_token_is_left_to_git() -> None:
    person = Person()
    without = forge("b.example", TILL, token=None)

    proposal = person.proposed(scan([forge("a.example", SHOP), without]))

    assert list(sources(proposal)) == ["a", "till"]


@dataclass(frozen=True, kw_only=True)
class UntaggedClone(MadeUpClone):
    """A clone without a tag, to which nothing was committed of late."""

    def survey(self) -> RepositoryOverview:
        return RepositoryOverview(repository=self.clone.name)


def test_clones_without_tags_are_services_whose_commits_are_told_to_be_deployments() -> None:
    person = Person()
    untagged = tuple(UntaggedClone(clone=found) for found in (SHOP, TILL))
    tagged = MadeUpClone(clone=MAIL)
    clones = tuple(found.clone for found in (*untagged, tagged))

    proposal = person.proposed(EnvironmentScan(clones=clones, local=(*untagged, tagged)))

    assert [service.name for service in proposal.services] == ["shop", "till", "mail"]
    assert [found["deployments"] for found in sources(proposal).values()] == [
        "commits",
        "commits",
        "tags",
    ]
    (told,) = person.told
    assert told.startswith(
        "There are no version tags in acme/shop, acme/till, so every commit on the default "
        "branch is taken for a deployment to production."
    )
    assert "git fetch --tags" in told


def test_who_chooses_commits_is_not_told_that_tags_are_lacking() -> None:
    person = Person()

    person.proposed(scan([], MAIL))

    assert person.told == []


def test_without_any_token_it_says_what_git_does_not_know() -> None:
    person = Person()

    proposal = person.proposed(scan([forge("a.example", SHOP, token=None)]))

    assert sources(proposal) == {"shop": {"type": "git", "deployments": "tags"}}
    assert person.told == [
        "Without a token for Madeup (MADEUP_TOKEN) there is git alone: no environments, "
        "no reviews and no incidents."
    ]


@pytest.mark.parametrize(
    ("forges", "host"),
    [
        ([forge("a.example"), forge("b.example", TILL)], "b.example"),  # clones came from there
        ([forge("a.example", token=None), forge("b.example")], "b.example"),  # it can be asked
        ([forge("a.example"), forge("b.example", TILL, token=None)], "a.example"),
        ([forge("a.example"), forge("b.example")], "a.example"),
        ([forge("a.example", token=None), forge("b.example", token=None)], "a.example"),
    ],
)
def test_named_repositories_are_on_one_forge(forges: list[Forge], host: str) -> None:
    found = wanted_forge(scan(forges), ["acme/x"])

    assert found is not None
    assert found.host == host
    assert wanted_forge(scan(forges), []) is None


def test_repositories_that_are_named_are_asked_for_and_no_others() -> None:
    person = Person()

    proposal = person.proposed(
        scan([forge("a.example", SHOP), forge("b.example", TILL)]), "acme/x", "acme/gone"
    )

    assert sources(proposal)["a"]["repositories"] == ["acme/x", "acme/gone"]
    assert person.warned == ["acme/gone: gone"]
    assert [text for text in person.asked if text.startswith("Repositories")] == []


def test_where_none_of_them_can_be_looked_at_nothing_is_proposed() -> None:
    with pytest.raises(FixInput, match="none of acme/gone can be looked at"):
        Person().proposed(scan([forge("a.example")]), "acme/gone")


def test_without_clones_what_the_token_sees_is_proposed() -> None:
    proposal = Person().proposed(scan([forge("a.example")]))

    assert sources(proposal)["a"]["repositories"] == ["acme/mine"]


READY = SourceProposal(
    name="board", type="board", lines=(Setting(key="token", value="env:BOARD_TOKEN"),)
)


def test_a_source_that_is_clear_already_is_written_under_a_name_of_its_own() -> None:
    board = clone("elsewhere.example", "acme/board")

    alone = Person().proposed(scan([], ready=(READY,)))
    beside = Person().proposed(scan([], board, ready=(READY,)))

    assert sources(alone) == {"board": {"type": "board", "token": "env:BOARD_TOKEN"}}
    assert alone.production == ("production",)
    assert list(sources(beside)) == ["board", "board-2"]


def test_where_there_is_nothing_every_forge_says_how_to_ask_it() -> None:
    with pytest.raises(FixConfiguration) as told:
        Person().proposed(scan([forge("a.example", token=None)]))

    assert str(told.value) == (
        "there is nothing here to propose: no git clone in this folder, and no token for Madeup\n"
        "Go into a clone or a folder of clones, or give a token: set MADEUP_TOKEN"
    )


def test_a_secret_is_looked_for_in_order() -> None:
    def secret(reference: str) -> str:
        if reference == "env:SECOND":
            return "x"
        raise FixConfiguration(reference)

    context = DiscoveryContext(now=NOW, home=Path(), secret=secret)

    assert context.first_secret("env:FIRST", "env:SECOND", "gh") == "env:SECOND"
    assert context.first_secret("env:FIRST") is None

"""A first configuration: questions are asked about what was seen, and a proposal comes out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from vpemetrics.collectors.discovery import DAYS, RepositoryOverview, Tally, Versions
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.survey import overview_of
from vpemetrics.config.discover import (
    PRODUCTION,
    Choice,
    GitHubProposal,
    GitProposal,
    IncidentRule,
    Proposal,
    ProposedService,
    all_production,
    choices,
    counted,
    distinct,
    environments_of,
    incidents_of,
    organisation_of,
    production_of,
    rules_of,
    services_of,
    told_apart,
)
from vpemetrics.errors import FixConfiguration
from vpemetrics.reports import words
from vpemetrics.reports.columns import align
from vpemetrics.rules import is_chosen, matches
from vpemetrics.usecases.environment_scan import EnvironmentScan

if TYPE_CHECKING:
    from vpemetrics.collectors.github.client import Access


@dataclass(frozen=True, kw_only=True)
class SetupQuestion:
    """Something a person may decide: what is known about it, and what is proposed.

    `understand` makes an answer of what was typed; ValueError says what was expected.
    """

    known: Sequence[str]
    text: str
    proposed: str
    understand: Callable[[str], object]


Ask = Callable[[SetupQuestion], str]
"""Gives an answer that the question understands: the proposed one, or a person's."""


def ask_repositories(
    access: "Access", around: EnvironmentScan, ask: Ask, now: datetime
) -> tuple[str, ...]:
    """The repositories to collect, as names and patterns: those of the clones are proposed."""
    from vpemetrics.collectors.github.survey import mine

    known, proposed = [], around.names
    if not proposed and access.everywhere:
        proposed = tuple(mine(access.everywhere, now))
        known = [f"No clone is here; what was pushed to in {DAYS} days is proposed."]
    answer = ask(
        SetupQuestion(
            known=known,
            text="Repositories on GitHub (acme/* takes all of acme)",
            proposed=", ".join(proposed),
            understand=parse_repositories,
        )
    )
    return parse_repositories(answer)


def parse_repositories(text: str) -> tuple[str, ...]:
    """The names and patterns in an answer, if a GitHub source takes them."""
    from vpemetrics.collectors.github.options import Options

    found = parse_names(text)
    if not found:
        raise ValueError("name at least one, as acme/shop or acme/*")
    Options(repositories=found, token="gh")  # noqa: S106 - a reference, which checks need
    return found


def names_to_look_at(access: "Access", patterns: Sequence[str], now: datetime) -> list[str]:
    """The repositories that patterns mean: those named, and of the others those in use."""
    from vpemetrics.collectors.github.survey import active_of

    wanted = [one for one in patterns if not one.startswith("!")]
    named = [one for one in wanted if "*" not in one and "?" not in one]
    owners = dict.fromkeys(one.partition("/")[0] for one in wanted if one not in named)
    listed = [name for owner in owners for name in active_of(access.client(owner), owner, now)]
    return list(dict.fromkeys([*named, *(one for one in listed if is_chosen(one, patterns))]))


def propose_github(
    around: EnvironmentScan,
    repositories: Sequence[str],
    sights: Sequence[RepositoryOverview],
    ask: Ask,
    zone: str,
    now: datetime,
) -> Proposal:
    """The configuration for repositories on GitHub, and for the clones from elsewhere."""
    sights = [told_apart(one) for one in sights]
    environments = _ask_production(sights, ask)
    choice = _ask_deployments(sights, environments, ask)
    incidents = _ask_incidents(sights, choice, ask)
    source = GitHubProposal(
        url=around.url,
        token=around.token or "",
        repositories=tuple(repositories),
        rules=rules_of(choice),
        incidents=incidents,
    )
    others = [(one, overview_of(one, now)) for one in around.elsewhere]
    more = [service for _, sight in others for service in _services_in_git(sight)]
    return Proposal(
        organisation=organisation_of(one.repository for one in sights),
        zone=zone,
        production=_with_git(all_production(choice, environments) or (PRODUCTION,), others),
        environments=environments_of(sights),
        sources=(source, *_git_sources(around, others)),
        services=distinct([*services_of(sights, choice), *more]),
    )


def propose_git(around: EnvironmentScan, ask: Ask, zone: str, now: datetime) -> Proposal:
    """The configuration for clones alone. FixConfiguration where there are none."""
    if not around.clones:
        raise FixConfiguration(
            "there is nothing here to propose: no git clone in this folder, and no token for "
            "GitHub\nGo into a clone or a folder of clones, or give a token: set GITHUB_TOKEN, "
            "or log in with `gh auth login`"
        )
    others = [(one, overview_of(one, now)) for one in around.clones]
    if len(others) == 1:
        others = [_ask_git(*others[0], ask)]
    return Proposal(
        organisation=organisation_of(sight.repository for _, sight in others),
        zone=zone,
        production=(PRODUCTION,),
        environments={},
        sources=tuple(_git_sources(around, others)),
        services=distinct([one for _, sight in others for one in _services_in_git(sight)]),
    )


def parse_names(text: str) -> tuple[str, ...]:
    """The names in an answer, which commas part."""
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


def _ask_production(sights: Sequence[RepositoryOverview], ask: Ask) -> tuple[str, ...]:
    """The environments that are production; nothing is asked where there is no choice."""
    seen, proposed = environments_of(sights), production_of(sights)
    if len(seen) < 2 and set(seen) == set(proposed):
        return proposed

    def understand(text: str) -> tuple[str, ...]:
        strangers = [one for one in _parse_some(text) if not any(matches(e, [one]) for e in seen)]
        if strangers:
            raise ValueError(
                f"some of these environments, or patterns of them, or none; there "
                f"is no {strangers[0]}"
            )
        return _parse_some(text)

    rows = [(name, counted(tally, "deployment")) for name, tally in seen.items()]
    answer = ask(
        SetupQuestion(
            known=["GitHub knows of these environments:", *_rows(rows)],
            text="Which are production (names, none)",
            proposed=", ".join(proposed) or "none",
            understand=understand,
        )
    )
    return understand(answer)


def _ask_deployments(
    sights: Sequence[RepositoryOverview], environments: Sequence[str], ask: Ask
) -> Choice:
    """What is taken for a deployment."""
    found = choices(sights, environments)
    if not found:
        return Choice(name="", evidence=())
    if len(found) == 1:
        return found[0]

    def understand(text: str) -> Choice:
        if not text.isdecimal() or not 1 <= int(text) <= len(found):
            raise ValueError(f"a number from 1 to {len(found)}")
        return found[int(text) - 1]

    rows = [
        (str(at), one.name, str(one.tally), _repositories(one)) for at, one in enumerate(found, 1)
    ]
    answer = ask(
        SetupQuestion(
            known=[f"What was deployed in {DAYS} days can be told by", *_rows(rows)],
            text="Which of these are deployments",
            proposed="1",
            understand=understand,
        )
    )
    return understand(answer)


def _ask_incidents(sights: Sequence[RepositoryOverview], choice: Choice, ask: Ask) -> IncidentRule:
    """Which issues are incidents."""
    found = incidents_of(sights, {one.repository for one in choice.evidence})
    named = {"label": found.labels, "type": found.types}
    rows = [
        (f"{kind} {name}", counted(tally, "issue"))
        for kind, tallies in named.items()
        for name, tally in tallies.items()
    ]
    known = (
        ["These labels or types of issues sound like incidents:", *_rows(rows)]
        if rows
        else ["No label or type of issues sounds like incidents; without any, no fail rate."]
    )
    answer = ask(
        SetupQuestion(
            known=known,
            text="Which labels or types mark an incident (names, none)",
            proposed=", ".join((*found.labels, *found.types)) or "none",
            understand=_parse_some,
        )
    )
    return _named_incidents(found, _parse_some(answer))


def _named_incidents(found: IncidentRule, names: Sequence[str]) -> IncidentRule:
    """The rule for the names that were answered: types where they are known as such."""
    return replace(
        found,
        labels={name: found.labels.get(name, Tally()) for name in names if name not in found.types},
        types={name: tally for name, tally in found.types.items() if name in names},
        repositories=found.repositories if names else (),
    )


def _ask_git(clone: Clone, sight: RepositoryOverview, ask: Ask) -> tuple[Clone, RepositoryOverview]:
    """The clone with what was said to be its deployments; only where it has versions at all."""
    if not sight.tags.ever:
        return clone, sight
    ways = {"tags": sight.tags.tally, "commits": sight.merges}
    ever = words.quantity(sight.tags.ever, "version tag")
    rows = [
        ("tags", f"{ever}, {sight.tags.tally} of them in {DAYS} days"),
        ("commits", f"{sight.merges} on {clone.branch or 'the branch'} in {DAYS} days"),
    ]

    def understand(text: str) -> str:
        if text not in ways:
            raise ValueError("tags or commits")
        return text

    answer = ask(
        SetupQuestion(
            known=[f"In {clone.name} there are", *_rows(rows)],
            text="Which of these are deployments",
            proposed="tags",
            understand=understand,
        )
    )
    return clone, sight if answer == "tags" else replace(sight, tags=Versions())


def _parse_some(text: str) -> tuple[str, ...]:
    return () if text.strip().lower() in ("none", "-") else parse_names(text)


def _git_sources(
    around: EnvironmentScan, clones: Iterable[tuple[Clone, RepositoryOverview]]
) -> Iterator[GitProposal]:
    taken: set[str] = {"github"}
    for clone, sight in clones:
        name = _new_name(sight.repository.rpartition("/")[2] or "clone", taken)
        by_tags = bool(sight.tags.ever)
        late = f"{sight.tags.tally} of them in {DAYS} days"
        tags = f"{words.quantity(sight.tags.ever, 'version tag')}, {late}"
        yield GitProposal(
            name=name,
            path=around.path(clone),
            deployments="tags" if by_tags else "commits",
            why=tags if by_tags else counted(sight.merges, "commit"),
        )


def _new_name(name: str, taken: set[str]) -> str:
    wanted, number = name, 1
    while wanted in taken:
        number += 1
        wanted = f"{name}-{number}"
    taken.add(wanted)
    return wanted


def _services_in_git(sight: RepositoryOverview) -> Iterator[ProposedService]:
    choice = choices([sight], ())[:1]
    return iter(services_of([sight], choice[0]) if choice else ())


def _with_git(
    production: tuple[str, ...], clones: Sequence[tuple[Clone, RepositoryOverview]]
) -> tuple[str, ...]:
    """The environments that count, among them the one of git sources."""
    return production + ((PRODUCTION,) if clones and not matches(PRODUCTION, production) else ())


def _repositories(choice: Choice) -> str:
    count = len(choice.evidence)
    return f"in {count:,} repositor{'y' if count == 1 else 'ies'}"


def _rows(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {line}" for line in align(rows, gap="   ")]

"""The questions of a first configuration: what is known, what is proposed, what may be answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vpemetrics.collectors.discovery import (
    DAYS,
    Forge,
    IncidentRule,
    LocalRepository,
    RepositoryOverview,
    Tally,
    Versions,
)
from vpemetrics.config.proposals import (
    Choice,
    IncidentEvidence,
    choices,
    describe_tally,
    environments_of,
    incidents_of,
    production_of,
)
from vpemetrics.reports import words
from vpemetrics.reports.columns import align
from vpemetrics.rules import matches


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


def parse_repositories(text: str, forge: Forge) -> tuple[str, ...]:
    """The names and patterns in an answer; ValueError if its source does not take them."""
    names = parse_names(text)
    if not names:
        raise ValueError(f"name at least one, as {forge.examples}")
    forge.check(names)
    return names


def parse_names(text: str) -> tuple[str, ...]:
    """The names in an answer, which commas part."""
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


def ask_repositories(forge: Forge, ask: Ask) -> tuple[str, ...]:
    """The repositories to collect, as names and patterns: those of the clones are proposed."""
    known, proposed = [], forge.names
    if not proposed and (proposed := tuple(forge.suggest())):
        known = [f"No clone is here; what was pushed to in {DAYS} days is proposed."]
    question = SetupQuestion(
        known=known,
        text=f"Repositories on {forge.title} ({forge.hint})",
        proposed=", ".join(proposed),
        understand=lambda text: parse_repositories(text, forge),
    )
    return parse_repositories(ask(question), forge)


def ask_production(
    forge: Forge, overviews: Sequence[RepositoryOverview], ask: Ask
) -> tuple[str, ...]:
    """The environments that are production; nothing is asked where there is no choice."""
    seen, proposed = environments_of(overviews), production_of(overviews)
    if len(seen) < 2 and set(seen) == set(proposed):
        return proposed

    def understand(text: str) -> tuple[str, ...]:
        names = _parse_some(text)
        strangers = [name for name in names if not any(matches(known, [name]) for known in seen)]
        if strangers:
            raise ValueError(
                f"some of these environments, or patterns of them, or none; there "
                f"is no {strangers[0]}"
            )
        return names

    rows = [(name, describe_tally(tally, "deployment")) for name, tally in seen.items()]
    question = SetupQuestion(
        known=[f"{forge.title} knows of these environments:", *_rows(rows)],
        text="Which are production (names, none)",
        proposed=", ".join(proposed) or "none",
        understand=understand,
    )
    return understand(ask(question))


def ask_deployments(
    forge: Forge,
    overviews: Sequence[RepositoryOverview],
    environments: Sequence[str],
    ask: Ask,
) -> Choice:
    """The way of telling deployments that is chosen."""
    ways = choices(overviews, environments, forge.title)
    if not ways:
        return Choice(name="", evidence=())
    if len(ways) == 1:
        return ways[0]

    def understand(text: str) -> Choice:
        if not text.isdecimal() or not 1 <= int(text) <= len(ways):
            raise ValueError(f"a number from 1 to {len(ways)}")
        return ways[int(text) - 1]

    rows = [
        (str(number), choice.name, str(choice.tally), _repositories(choice))
        for number, choice in enumerate(ways, 1)
    ]
    question = SetupQuestion(
        known=[f"What was deployed in {DAYS} days can be told by", *_rows(rows)],
        text="Which of these are deployments",
        proposed="1",
        understand=understand,
    )
    return understand(ask(question))


def ask_incidents(
    overviews: Sequence[RepositoryOverview], choice: Choice, ask: Ask
) -> IncidentRule:
    """The issues that are incidents."""
    found = incidents_of(overviews, {evidence.repository for evidence in choice.evidence})
    named = {"label": found.labels, "type": found.types}
    rows = [
        (f"{kind} {name}", describe_tally(tally, "issue"))
        for kind, tallies in named.items()
        for name, tally in tallies.items()
    ]
    known = (
        ["These labels or types of issues sound like incidents:", *_rows(rows)]
        if rows
        else ["No label or type of issues sounds like incidents; without any, no fail rate."]
    )
    question = SetupQuestion(
        known=known,
        text="Which labels or types mark an incident (names, none)",
        proposed=", ".join((*found.labels, *found.types)) or "none",
        understand=_parse_some,
    )
    return _chosen_incidents(found, _parse_some(ask(question))).rule()


def _chosen_incidents(found: IncidentEvidence, names: Sequence[str]) -> IncidentEvidence:
    """The evidence for the names that were answered: types where they are known as such."""
    return replace(
        found,
        labels={name: found.labels.get(name, Tally()) for name in names if name not in found.types},
        types={name: tally for name, tally in found.types.items() if name in names},
        repositories=found.repositories if names else (),
    )


def ask_git(
    found: LocalRepository, overview: RepositoryOverview, ask: Ask
) -> tuple[LocalRepository, RepositoryOverview]:
    """The clone with what was said to be its deployments; only where it has versions at all."""
    if not overview.tags.ever:
        return found, overview
    ways = {"tags": overview.tags.tally, "commits": overview.merges}
    ever = words.quantity(overview.tags.ever, "version tag")
    branch = found.clone.branch or "the branch"
    rows = [
        ("tags", f"{ever}, {overview.tags.tally} of them in {DAYS} days"),
        ("commits", f"{overview.merges} on {branch} in {DAYS} days"),
    ]

    def understand(text: str) -> str:
        if text not in ways:
            raise ValueError("tags or commits")
        return text

    question = SetupQuestion(
        known=[f"In {found.clone.name} there are", *_rows(rows)],
        text="Which of these are deployments",
        proposed="tags",
        understand=understand,
    )
    return found, overview if ask(question) == "tags" else replace(overview, tags=Versions())


def _parse_some(text: str) -> tuple[str, ...]:
    return () if text.strip().lower() in ("none", "-") else parse_names(text)


def _repositories(choice: Choice) -> str:
    count = len(choice.evidence)
    return f"in {count:,} repositor{'y' if count == 1 else 'ies'}"


def _rows(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {line}" for line in align(rows, gap="   ")]

"""The kinds of authors, told by what they are called (rule C3)."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from vpemetrics.agents import AGENTS
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit
from vpemetrics.rules import expression_of, matches

KindOf = Callable[[str], AuthorKind | None]
"""The kind of an author by a login, a name or an address; None for who may be a person."""
AgentOf = Callable[[str], str | None]
"""The tool that an author is, by the same; None for who is no agent."""

_AGENTS: Final = {name.casefold(): tool for tool, names in AGENTS.items() for name in names}


def author_test(bots: Iterable[str] = (), agents: Iterable[str] = ()) -> KindOf:
    """The test of what an author is called.

    Agents are those of our list, and who fits a pattern of `agents`; automation is who else ends
    in `[bot]` or fits a pattern of `bots`. In a pattern `*` stands for anything and `?` for one
    character; case does not matter. Brackets stand for themselves, so that `*[bot]` means what it
    says.
    """
    agent_of, is_automation = (
        agent_test(agents),
        _pattern([r".*\[bot\]", *map(expression_of, bots)]),
    )

    def kind_of(author: str) -> AuthorKind | None:
        if agent_of(author):
            return AuthorKind.AGENT
        return AuthorKind.AUTOMATION if any(map(is_automation, _called(author))) else None

    return lru_cache(maxsize=10_000)(kind_of)


def agent_test(agents: Iterable[str] = ()) -> AgentOf:
    """The test of what an author is called for agents; the tool of a pattern is the pattern."""
    further = [(pattern, _pattern([expression_of(pattern)])) for pattern in agents]

    def agent_of(author: str) -> str | None:
        called = _called(author)
        known = filter(None, (_AGENTS.get(name.casefold()) for name in called))
        fits = (tool for tool, is_it in further if any(map(is_it, called)))
        return next(known, None) or next(fits, None)

    return agent_of


def _pattern(alternatives: Iterable[str]) -> Callable[[str], object]:
    return re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL).fullmatch


def _called(author: str) -> tuple[str, ...]:
    """All that an author is called: of an address the account too that a host made it of."""
    # GitHub's command line writes app/dependabot: https://cli.github.com/manual/gh_pr_list
    if author.startswith("app/"):
        return (f"{author.removeprefix('app/')}[bot]",)
    # ID+ACCOUNT@users.noreply.github.com, or without the id.
    # https://docs.github.com/en/account-and-profile/reference/email-addresses-reference
    place, _, host = author.partition("@")
    return (author, place.rpartition("+")[2]) if host.startswith("users.noreply.") else (author,)


def mark_authors(records: Iterable[AnyRecord], kind_of: KindOf) -> Iterator[AnyRecord]:
    """The records, with the kinds of authors of whom the source said none.

    Who a source takes for automation may be an agent that we know.
    """
    for record in records:
        if isinstance(record, Commit | Change):
            kind = _kind(record.author_kind, record.author, kind_of)
            yield record if kind is record.author_kind else replace(record, author_kind=kind)
        else:
            yield record


def mark_authors_in(told: RecordColumns, kind_of: KindOf) -> RecordColumns:
    """The same for records that are columns."""
    if told.record not in (Commit, Change):
        return told
    kinds = [
        _kind(said, author, kind_of)
        for said, author in zip(told.values["author_kind"], told.values["author"], strict=True)
    ]
    return replace(told, values={**told.values, "author_kind": kinds})


def _kind(said: AuthorKind | None, author: str | None, kind_of: KindOf) -> AuthorKind | None:
    if not author or said in (AuthorKind.PERSON, AuthorKind.AGENT):
        return said
    found = kind_of(author)
    return found if found is AuthorKind.AGENT else said or found


_LOOKS: Final = ("*-bot", "*-ci", "*-release", "renovate*")
_FEWEST: Final = 20
"""The changes that a share of them means something of."""
_MUCH: Final = 0.05


def is_unlisted(author: str, kind_of: KindOf) -> bool:
    """Tell whether an author looks like automation, by a login, a name or an address."""
    return matches(author.partition("@")[0], _LOOKS) and kind_of(author) is None


def unlisted_automation(authors: Mapping[str, int], kind_of: KindOf) -> dict[str, float]:
    """Authors who look like automation and are in no list, with their share of some changes.

    `authors` has the number of each one's changes; those of less than a twentieth are left out.
    """
    total = sum(authors.values())
    return {
        author: count / total
        for author, count in sorted(authors.items())
        if total >= _FEWEST and count >= _MUCH * total and is_unlisted(author, kind_of)
    }


def unlisted_text(found: Mapping[str, float]) -> str:
    """The words for such authors."""
    shares = (f"{author} ({share:.0%})" for author, share in found.items())
    return (
        f"looks like automation and is in no list, with so many of the changes: {', '.join(shares)}"
    )


def lines_for(found: Mapping[str, float]) -> str:
    """The lines of the configuration that have such authors as automation."""
    names = ", ".join(f'"{author}"' for author in found)
    return f"if it is, add to [bots]: authors = [{names}]; an agent to [agents]"


class AuthorCounts(Counter[str]):
    """The number of changes by each author of whom no source says what they are."""

    def see(self, records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
        """The records, counted as they pass."""
        for record in records:
            if isinstance(record, Commit | Change) and record.author:
                self[record.author] += 1
            yield record

    def see_columns(self, told: RecordColumns) -> RecordColumns:
        """The same for records that are columns."""
        if told.record in (Commit, Change):
            self.update(filter(None, told.values["author"]))
        return told

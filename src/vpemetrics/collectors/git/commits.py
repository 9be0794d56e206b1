"""Commits as git tells them into records, as columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from vpemetrics.collectors.authors import author_test
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.log import LogColumns, Logged, find_commits, instants
from vpemetrics.collectors.git.subjects import is_whole, picked_from, reverts
from vpemetrics.collectors.marks import mark_test
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AuthorKind, Commit
from vpemetrics.rules import Rules


class Recorder:
    """A maker of records for the commits of one repository, as a source tells them."""

    def __init__(self, source: str, repository: str, authors: "GitAuthors") -> None:
        """The names of the source and the repository, and what knows authors."""
        self._source = source
        self._repository = repository
        self._authors = authors

    def __call__(self, log: LogColumns) -> RecordColumns:
        """The records of commits, without the paths they touch."""
        authors = zip(log.emails, log.names, strict=True)
        return RecordColumns.filled(
            Commit,
            self._source,
            {
                "sha": log.shas,
                "repository": [self._repository] * len(log.shas),
                "parents": list(map(tuple, map(str.split, log.parents))),
                "author": [email or name or None for email, name in authors],
                "author_kind": list(
                    map(self._authors.__getitem__, zip(log.emails, log.names, strict=True))
                ),
                "marks": list(map(self._authors.marks_of, log.messages)),
                "reverts_sha": list(map(reverts, log.messages)),
                "picked_from_sha": list(map(picked_from, log.messages)),
            },
            {"authored_at": instants(log.authored), "committed_at": instants(log.committed)},
        )

    def records(self, git: Git, log: Sequence[Logged]) -> list[Commit]:
        """The records of commits of a repository one by one, where they are few."""
        if not log:
            return []
        told = with_whole_shas(git, self(LogColumns._make(map(list, zip(*log, strict=True)))))
        return [one for one in told.records() if isinstance(one, Commit)]


def with_whole_shas(git: Git, found: RecordColumns) -> RecordColumns:
    """The commits, with whole names of those that they revert; without what is no commit's."""
    named = found.values["reverts_sha"]
    short = {sha for several in named if several for sha in several if not is_whole(sha)}
    if not short:
        return found
    whole = find_commits(git, sorted(short))
    told = [
        tuple(dict.fromkeys(filter(is_whole, (whole.get(sha, sha) for sha in several))))
        for several in named
    ]
    return replace(found, values={**found.values, "reverts_sha": told})


_NO_PEOPLE: Final = (AuthorKind.AGENT, AuthorKind.AUTOMATION)


class GitAuthors(dict[tuple[str, str], AuthorKind | None]):
    """The kinds of authors, told by address and name; who is an agent by one of them is one.

    `marks_of` reads the tools that a message names.
    """

    def __init__(self, rules: Rules) -> None:
        """Take the names that the configuration adds to those that are known."""
        super().__init__()
        self.kind_of = author_test(rules.bots, rules.agents)
        self.marks_of = mark_test(rules.agents)

    def __missing__(self, author: tuple[str, str]) -> AuthorKind | None:
        known = set(map(self.kind_of, author))
        self[author] = found = next((kind for kind in _NO_PEOPLE if kind in known), None)
        return found

"""The kinds of authors, told by what they are called (rule C3)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit
from vpemetrics.rules import expression_of

KindOf = Callable[[str], AuthorKind | None]
"""The kind of an author by a login, a name or an address; None for who may be a person."""


def author_test(bots: Iterable[str] = ()) -> KindOf:
    """The test of what an author is called: automation ends in `[bot]` or matches a pattern.

    In a pattern `*` stands for anything and `?` for one character; case does not matter.
    Brackets stand for themselves, so that `*[bot]` means what it says.
    """
    alternatives = [r".*\[bot\]", *map(expression_of, bots)]
    is_automation = re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL).fullmatch

    def kind_of(author: str) -> AuthorKind | None:
        return AuthorKind.AUTOMATION if is_automation(author) else None

    return lru_cache(maxsize=10_000)(kind_of)


def mark_authors(records: Iterable[AnyRecord], kind_of: KindOf) -> Iterator[AnyRecord]:
    """The records, with the kinds of authors of whom the source said none."""
    for record in records:
        if isinstance(record, Commit | Change):
            kind = _kind(record.author_kind, record.author, kind_of)
            yield record if kind is record.author_kind else replace(record, author_kind=kind)
        else:
            yield record


def mark_authors_in(told: RecordColumns, kind_of: KindOf) -> RecordColumns:
    """The same for records that are columns."""
    if told.record not in (Commit, Change) or None not in told.values["author_kind"]:
        return told
    kinds = [
        _kind(said, author, kind_of)
        for said, author in zip(told.values["author_kind"], told.values["author"], strict=True)
    ]
    return replace(told, values={**told.values, "author_kind": kinds})


def _kind(said: AuthorKind | None, author: str | None, kind_of: KindOf) -> AuthorKind | None:
    return kind_of(author) if said is None and author else said

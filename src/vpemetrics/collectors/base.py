"""What a source is: options, and records collected under them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from vpemetrics.records import AnyRecord, Change, Commit

IsBot = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Collector:
    """A kind of source; the registry names one for each.

    `options` is a frozen dataclass whose fields are the settings of `[sources.NAME]`.
    `collect(options, since)` yields what the source says, from `since` on (None: all of it).
    A record may come more than once and may be older than `since`: both are harmless.
    """

    options: type[Any]
    collect: Callable[[Any, datetime | None], Iterator[AnyRecord]]


def bot_test(patterns: Iterable[str] = ()) -> IsBot:
    """Tells whether an author's name is a bot's: it ends in `[bot]` or matches a pattern.

    In a pattern `*` stands for anything and `?` for one character; case does not matter.
    Brackets stand for themselves, so that `*[bot]` means what it says.
    """
    alternatives = [r".*\[bot\]", *map(_expression, patterns)]
    matches = re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL).fullmatch
    return lru_cache(maxsize=10_000)(lambda author: matches(author) is not None)


def mark_bots(records: Iterable[AnyRecord], is_bot: IsBot) -> Iterator[AnyRecord]:
    """The records, those of bots marked where the source did not say."""
    for record in records:
        if (
            isinstance(record, Commit | Change)
            and record.is_bot is None
            and record.author
            and is_bot(record.author)
        ):
            yield replace(record, is_bot=True)
        else:
            yield record


def _expression(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")

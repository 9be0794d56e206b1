"""Cursors of repositories: what one collection leaves for the next to go on from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

OVERLAP: Final = timedelta(minutes=10)
"""The time before the end of what was read that is read again, for what was written meanwhile."""
_TIE: Final = timedelta(minutes=2)
_MOST_AGAIN: Final = 20


@dataclass(frozen=True, kw_only=True)
class ListGap:
    """A part of a list that is still to be read, from its newest end down.

    It began at `top`, was read as far as `reached`, and ends at `down_to`. `after` is GitHub's
    cursor of the last page that was read.
    """

    top: datetime
    reached: datetime
    down_to: datetime
    after: str | None = None


@dataclass(frozen=True, kw_only=True)
class ListProgress:
    """The progress in a list that GitHub gives newest first.

    The list is wanted from `start` on and was read until `end`, but for the gaps, the newest first.
    `newest` is the latest moment met, by GitHub's clock. `size` is how much is asked for at a
    time. `again` are pages that are to be read once more, as something on them has no id and
    cannot be read. `sign` is what showed that nothing is new when all of it was read, and
    `settings` stand for what decides which records it becomes.
    """

    start: datetime
    end: datetime
    settings: str
    size: int
    gaps: tuple[ListGap, ...] = ()
    newest: datetime | None = None
    sign: str | None = None
    again: tuple[ListGap, ...] = ()

    def reopen(self, now: datetime, overlap: timedelta = OVERLAP) -> "ListProgress":
        """Add what came since as a gap to be read first, with some of what came before."""
        first, *others = self.gaps or (None,)
        if first and first.after is None and first.reached == first.top:
            fresh = replace(first, top=now, reached=now)  # it was never begun
        else:
            others = [gap for gap in (first, *others) if gap]
            known_to = min(self.newest, self.end) if self.newest else self.start
            fresh = ListGap(top=now, reached=now, down_to=known_to - overlap)
        return replace(self, end=now, gaps=(fresh, *others, *self.again), again=(), sign=None)

    def with_again(self, gap: ListGap) -> "ListProgress":
        """Note that a page is to be read once more, next time; the latest few count."""
        return replace(self, again=(gap, *self.again)[:_MOST_AGAIN])

    def advance(
        self, reached: datetime | None, after: str | None, newest: datetime | None
    ) -> "ListProgress":
        """Note that a page of the first gap was read; without `after` that closes the gap."""
        first, *others = self.gaps
        reached = min(first.reached, reached) if reached else first.reached
        if after is not None and reached >= first.down_to:
            others.insert(0, replace(first, reached=reached, after=after))
        known = [at for at in (self.newest, newest) if at]
        return replace(self, gaps=tuple(others), newest=max(known, default=None))

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The time up to the end of which all is known; None if that is none yet."""
        start = self.gaps[0].reached if self.gaps else self.start
        return (start, self.end) if start < self.end else None

    def is_quiet(self, sign: str, newest: datetime | None, settings: str) -> bool:
        """Return whether all was read when the same was to be seen as now.

        What was written in the very seconds of the last reading does not count as read.
        """
        same = not self.gaps and not self.again and self.sign == sign and self.settings == settings
        return same and (newest is None or newest < self.end - _TIE)


@dataclass(frozen=True, kw_only=True)
class HistoryWalk:
    """A history that is being read from a commit: GitHub's cursor, and parents not met yet.

    One `again` is a page that was read before, on which a commit could not be read.
    """

    tip: str
    after: str | None = None
    pending: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class HistoryProgress:
    """The progress in the commits, back to `cut`; `tip` is the default branch's.

    `walks` are still to be ended, and those `again` to be begun next time. `end` is when the tip
    was looked at.
    """

    cut: datetime
    end: datetime
    settings: str
    size: int
    tip: str | None = None
    walks: tuple[HistoryWalk, ...] = ()
    again: tuple[HistoryWalk, ...] = ()

    def with_again(self, walk: HistoryWalk) -> "HistoryProgress":
        """Note that a page is to be read once more, next time; the latest few count."""
        page = HistoryWalk(tip=walk.tip, after=walk.after, again=True)
        others = [other for other in self.again if other != page]
        return replace(self, again=(page, *others)[:_MOST_AGAIN])


@dataclass(frozen=True, kw_only=True)
class OpenItem:
    """Something that may still change without moving up in any list.

    `updated_at` is what GitHub said when it was read; None has it fetched again in any case.
    `tries` counts how often parts of it were not given. What `is_bad` is not as GitHub documents
    it, and asked for once in each collection until it is.
    """

    kind: str
    created_at: datetime
    updated_at: datetime | None = None
    tries: int = 0
    is_bad: bool = False


@dataclass(frozen=True, kw_only=True)
class RunAttempts:
    """The number of a run's attempts that are in records, and when it was created."""

    count: Annotated[int, Field(alias="told")]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class GitHubCursor:
    """The point at which the collection of a repository stands.

    `id` is GitHub's permanent one, `known` the name in records and `name` the current one;
    `asked` is the name in the settings, if it is there by name. `lists` are by what they are
    of. `services` are those that deployments named.
    """

    id: str
    known: str
    name: str
    asked: str | None
    begin: datetime
    branch: str | None = None
    lists: Mapping[str, ListProgress] = field(default_factory=dict)
    history: HistoryProgress | None = None
    open: Mapping[str, OpenItem] = field(default_factory=dict)
    open_runs: Mapping[str, datetime] = field(default_factory=dict)
    attempts: Mapping[str, RunAttempts] = field(default_factory=dict)
    looked_back_at: datetime | None = None
    services: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line, as a store holds it."""
        return _adapter().dump_json(self, by_alias=True, exclude_defaults=True).decode()

    def is_fresh(self, item: OpenItem) -> bool:
        """Return whether something open was so new when it was read that more may have followed.

        GitHub has whole seconds: what changes twice in one of them looks the same.
        """
        # https://docs.github.com/en/graphql/reference/scalars#datetime
        read_at = max((progress.end for progress in self.lists.values()), default=None)
        return bool(read_at and item.updated_at and item.updated_at >= read_at - _TIE)

    def with_list(self, name: str, progress: ListProgress) -> "GitHubCursor":
        """The same where a list was read as far as this."""
        return replace(self, lists={**self.lists, name: progress})

    def with_items(self, items: Mapping[str, OpenItem | None]) -> "GitHubCursor":
        """The same with things that are open, or by None no longer are."""
        merged = {**self.open, **items}
        return replace(self, open={id_: item for id_, item in merged.items() if item})


def parse_cursor(text: str | None) -> GitHubCursor | None:
    """Return what a stored cursor says; None if there is none, or another version wrote it."""
    try:
        return _adapter().validate_json(text or "null")
    except ValidationError:
        return None


@lru_cache(maxsize=1)
def _adapter() -> "TypeAdapter[GitHubCursor]":
    return TypeAdapter(GitHubCursor)


class SeenCommits:
    """Commits that are in records, kept as the first 12 digits of each."""

    _DIGITS: Final = 12

    def __init__(self, text: str = "") -> None:
        """Those of a cursor."""
        width, text = self._DIGITS, text.strip()
        self._seen = {text[at : at + width] for at in range(0, len(text), width)}
        self.changed = False

    def __contains__(self, sha: str) -> bool:
        return sha[: self._DIGITS] in self._seen

    def add(self, shas: Iterable[str]) -> None:
        """Note that these are in records."""
        self._seen.update(sha[: self._DIGITS] for sha in shas)
        self.changed = True

    def clear(self) -> None:
        """Forget all, to build their records again."""
        self._seen.clear()
        self.changed = True

    def to_text(self) -> str:
        """The text that a store holds, which is never empty."""
        return "".join(sorted(self._seen)) or " "

"""The parts of a source: options, records in batches, a check, and what it discovers."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vpemetrics.errors import FixConfiguration, Stopped
from vpemetrics.records import AnyRecord
from vpemetrics.rules import Rules
from vpemetrics.window import from_micros, midnight

if TYPE_CHECKING:
    from vpemetrics.collectors.discovery import Discovery
    from vpemetrics.collectors.git.clone import Clone
    from vpemetrics.record_columns import RecordColumns


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Records to be saved together, and how far the source is collected once they are.

    `columns` are more records, of which there are very many; they are saved after the others.
    `cursors` (scope to position, in the collector's own words) move in the transaction that
    saves the records, so an interruption costs repetition and never loss.
    `gone` are records of the source that were told before and are none after all, by their keys.
    """

    records: Iterable[AnyRecord] = ()
    columns: "Iterable[RecordColumns]" = ()
    cursors: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[type[AnyRecord], Collection[str]] = field(default_factory=dict)


def _unheard(_text: str) -> None:
    """Nobody listens."""


def not_noted(_name: str, _why: str) -> None:
    """Nobody keeps it."""


def _unseen(_done: int, _of: int) -> None:
    """Nobody looks."""


def _uncounted(_left: timedelta) -> None:
    """Nobody looks at the clock."""


def never() -> bool:
    """Nobody stops it."""
    return False


def _no_secret(_reference: str) -> str:
    raise FixConfiguration("no secrets are to be had here")


@dataclass(frozen=True, kw_only=True)
class CollectionContext:
    """One collection: its moment, where the last one ended, and what is wanted.

    `source` is the source's configured name, `cursors` are where earlier collections left off,
    `folder` is what relative paths in the options are relative to. `warn` is told what a person
    should know, a line each; `progress` how much is done of how much. `announce` is told what
    cannot wait until the end, as a long wait, and `countdown` how much of it is left. `stop`
    says that no more is wanted: whoever waits asks it every second, and whatever then ends the
    collection is no error. `secret` gives the value of a reference in the options (`env:NAME`,
    `file:PATH`, `gh`), or FixConfiguration. `leave_out` is told of a record that the source does
    not give as it should: its name, and a sentence about what is wrong. It is not saved, the rest
    goes on, and every collection that asks for it in vain says so.
    """

    source: str
    now: datetime
    cursors: Mapping[str, str] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    folder: Path = Path()
    warn: Callable[[str], None] = _unheard
    progress: Callable[[int, int], None] = _unseen
    announce: Callable[[str], None] = _unheard
    countdown: Callable[[timedelta], None] = _uncounted
    stop: Callable[[], bool] = never
    secret: Callable[[str], str] = _no_secret
    leave_out: Callable[[str, str], None] = not_noted

    def begin(self, day: date | None) -> datetime | None:
        """The first instant of a day where the organisation is; None for no day."""
        return from_micros(midnight(day, self.rules.zone)) if day else None

    def check_stop(self) -> None:
        """Raise Stopped once no more is wanted."""
        if self.stop():
            raise Stopped


@dataclass(frozen=True, kw_only=True)
class DiscoveryContext:
    """The place and time at which one looks around for what could be collected.

    `clones` are the git clones here, and `home` the folder of the configuration, where relative
    paths in it start. `environ` are the variables of the environment; `secret` gives the value
    of a reference (`env:NAME`, `file:PATH`, `gh`), or FixConfiguration. `announce` is told what
    cannot wait, as a long wait.
    """

    now: datetime
    home: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    clones: "tuple[Clone, ...]" = ()
    secret: Callable[[str], str] = _no_secret
    announce: Callable[[str], None] = _unheard

    def first_secret(self, *references: str) -> str | None:
        """The first of some references that leads to a secret; None if none does."""
        for reference in references:
            try:
                self.secret(reference)
            except FixConfiguration:
                continue
            return reference
        return None


class Level(StrEnum):
    """The weight of a finding: all is well, something is lacking, nothing will work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a check of a source found, its weight, and what mends it.

    `topic` is a word such as "token" or "cost"; `numbers` are what `text` says of them.
    """

    topic: str
    text: str
    level: Level = Level.OK
    mend: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


def _no_check(_options: Any, _context: CollectionContext) -> Iterator[Finding]:
    """Find nothing."""
    return iter(())


def _no_discovery(_context: DiscoveryContext) -> "Iterator[Discovery]":
    """Find nothing."""
    return iter(())


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor's own public hosts, and references to the tokens that it documents for them.

    `Options` has it as its class variable `vendor`: such a token may be sent there by any
    configuration that is found, as its vendor knows it anyway.
    """

    hosts: tuple[str, ...]
    tokens: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Collector:
    """A type of source; the registry names the parts of each.

    `options` is a frozen dataclass whose fields are the settings of `[sources.NAME]`.
    `collect(options, context)` yields what the source says that is new since the cursors.
    A record may come more than once, and one that was told before may come again: harmless both.
    `check(options, context)` looks whether a collection would go well, and changes nothing;
    what keeps it from looking further is raised (VpemetricsError).
    `discover(context)` tells what of the kind is there to be collected, before anything is
    configured; it asks no person, and no network before it is wanted.
    """

    options: type[Any]
    collect: Callable[[Any, CollectionContext], Iterator[Batch]]
    check: Callable[[Any, CollectionContext], Iterator[Finding]] = _no_check
    discover: "Callable[[DiscoveryContext], Iterator[Discovery]]" = _no_discovery

"""A GitOps repository as a source: the deployments it wants, and the histories behind them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import blake2b
from shlex import quote
from typing import Final

from vpemetrics.collectors.base import Occasion, Portion, bot_test
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.collect import collect as collect_history
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.commits import Bots
from vpemetrics.collectors.git.log import moment
from vpemetrics.collectors.git.options import Options as HistoryOptions
from vpemetrics.collectors.gitops.homes import Homes, off_branch
from vpemetrics.collectors.gitops.options import Options
from vpemetrics.collectors.gitops.position import Position, parse_position
from vpemetrics.collectors.gitops.reading import Reader, Reading
from vpemetrics.collectors.gitops.telling import Telling
from vpemetrics.errors import FixInput, VpemetricsError
from vpemetrics.records import AnyRecord
from vpemetrics.window import format_instant, parse_instant

_SCOPE: Final = "deployments"
_TOLD: Final = 1
"""The version of what is told: with another one the next collection reads all again."""
_FEW: Final = 3
_SHORT: Final = 12


def collect(options: Options, occasion: Occasion) -> Iterator[Portion]:
    """What is new in a configuration repository and in the services' own since the cursors.

    A portion for each of the services' clones, then one with the deployments. A clone that
    cannot be read keeps none of the others from being collected: FixInput comes at the end.
    """
    clone = look_at(Git(path=occasion.folder / options.path), options.branch)
    if clone.tip is None:
        occasion.warn(f"{clone.git.path} has no commits yet")
        return
    settings, homes = _settings(options, occasion, clone), Homes(options, occasion.folder)
    after = _to_go_on_from(occasion, clone, settings, homes)
    bots = Bots(bot_test(occasion.rules.bots))
    reading = Reader(clone, clone.tip, options, bots).read(after)
    telling = Telling(
        reading=reading,
        within=occasion.rules.superseded_within,
        since=occasion.begin(options.since),
    )
    for service, versions in telling.versions.items():
        homes.resolve(service, versions)
    yield from _histories(options, occasion, homes, telling.services)
    position = _position(clone, telling, homes, settings, occasion.now)
    if position != after:
        _warn(clone, telling, occasion)
        _warn_of_unknown(options, position, occasion)
        records = _records(telling, position, homes, occasion)
        yield Portion(records=records, cursors={_SCOPE: position.to_json()})
    if homes.errors:
        raise FixInput("; ".join(map(str, homes.errors.values())))


def _settings(options: Options, occasion: Occasion, clone: Clone) -> str:
    """A short text that differs where something else would be told of the same history."""
    rules = occasion.rules
    decisive = (_TOLD, asdict(options), clone.branch, rules.bots, rules.zone)
    text = json.dumps((*decisive, rules.superseded_within), default=str)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _to_go_on_from(
    occasion: Occasion, clone: Clone, settings: str, homes: Homes
) -> Position | None:
    """Where the last collection ended, if what it told stands as it is.

    It does not where clones came or grew in which versions are found that were not before.
    """
    position = parse_position(occasion.cursors.get(_SCOPE))
    if position is None or position.settings != settings:
        return None
    if position.boundary != tuple(sorted(clone.boundary)):
        return None
    if homes.among(position.cloneless):
        return None
    newly = [homes.resolve(service, own) for service, own in position.unresolved.items()]
    return None if any(newly) else position


def _histories(
    options: Options, occasion: Occasion, homes: Homes, services: Sequence[str]
) -> Iterator[Portion]:
    """What is new in the services' own repositories; what goes wrong there comes in the end."""
    for place, own in homes.among(services).items():
        if place not in homes.errors:
            try:
                yield from _history(options, occasion, homes, own)
            except VpemetricsError as error:
                homes.errors[place] = error


def _history(
    options: Options, occasion: Occasion, homes: Homes, services: Sequence[str]
) -> Iterator[Portion]:
    """What is new in the repository of these services, under cursors of its own."""
    home = homes.of(services[0])
    if home is None:
        return
    mark = f"{home.place}: "
    cursors = {
        scope.removeprefix(mark): cursor
        for scope, cursor in occasion.cursors.items()
        if scope.startswith(mark)
    }
    wanted = HistoryOptions(
        path=home.place, repository=home.repository, deployments="none", since=options.since
    )
    also = off_branch(home.git, homes.commits(services))
    for portion in collect_history(wanted, replace(occasion, cursors=cursors), also):
        moved = {f"{mark}{scope}": cursor for scope, cursor in portion.cursors.items()}
        yield Portion(records=portion.records, cursors=moved)


def _position(
    clone: Clone, telling: Telling, homes: Homes, settings: str, now: datetime
) -> Position:
    reading, services = telling.reading, telling.services
    at_home = [one for one in services if homes.of(one)]
    unresolved = {one: own for one in at_home if (own := tuple(homes.unresolved(one)))}
    return Position(
        settings=settings,
        tip=clone.tip or "",
        boundary=tuple(sorted(clone.boundary)),
        wanted=tuple(telling.wanted),
        unresolved=unresolved,
        cloneless=tuple(one for one in services if one not in at_home),
        first_at=format_instant(_first_at(reading, now)),
        last_at=format_instant(_last_at(clone, reading, now)),
    )


def _first_at(reading: Reading, now: datetime) -> datetime:
    if reading.after:
        return parse_instant(reading.after.first_at)
    return moment(str(reading.first_at)) or now


def _last_at(clone: Clone, reading: Reading, now: datetime) -> datetime:
    """Until when everything that was wanted is known: to the last fetch, or the newest commit."""
    known = [clone.seen_at or now, moment(str(reading.last_at))]
    if reading.after:
        known.append(parse_instant(reading.after.last_at))
    return min(now, max(filter(None, known)))


def _records(
    telling: Telling, position: Position, homes: Homes, occasion: Occasion
) -> Iterator[AnyRecord]:
    yield from telling.deployments(homes)
    start, end = parse_instant(position.first_at), parse_instant(position.last_at)
    yield from telling.coverage(occasion.source, start, end)


def _warn(clone: Clone, telling: Telling, occasion: Occasion) -> None:
    path, reading = clone.git.path, telling.reading
    if clone.boundary:
        occasion.warn(
            f"{path} is a shallow clone: what was wanted before its history is cut is not known; "
            f"mend it with: git -C {quote(str(path))} fetch --unshallow"
        )
    if not telling.services:
        occasion.warn(f"no commit in {path} names a version where the settings say it stands")
    if reading.unreadable:
        occasion.warn(f"files in {path} that are no YAML: {_some(reading.unreadable)}")


def _warn_of_unknown(options: Options, position: Position, occasion: Occasion) -> None:
    """Says which versions could not be traced to commits, and what to do about it."""
    if position.cloneless:
        where = "where `clones` says" if options.clones else "at hand; say with `clones` where"
        occasion.warn(
            f"no clones of {_some(position.cloneless)} {where}, so what their deployments "
            f"ship is not known"
        )
    if position.unresolved:
        versions = [one for own in position.unresolved.values() for one in own]
        occasion.warn(
            f"{len(versions)} versions of {_some([*position.unresolved])} are neither tag nor "
            f"commit in their clones, so what these deployments ship is not known: "
            f"{_some([one[:_SHORT] for one in versions])}"
        )


def _some(names: Sequence[str]) -> str:
    """The first few of names, and how many more there are."""
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")

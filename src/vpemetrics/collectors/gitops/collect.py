"""A GitOps repository as a source: the deployments it wants, and the histories behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from shlex import quote
from typing import Final

from vpemetrics.agents import author_settings
from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.collect import collect as collect_history
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.git.log import moment
from vpemetrics.collectors.git.options import Options as HistoryOptions
from vpemetrics.collectors.gitops.cursor import GitopsCursor, parse_cursor
from vpemetrics.collectors.gitops.options import Options
from vpemetrics.collectors.gitops.reading import BumpReader, BumpReading
from vpemetrics.collectors.gitops.record_builder import GitopsRecordBuilder
from vpemetrics.collectors.gitops.service_repositories import ServiceRepositories, off_branch
from vpemetrics.errors import FixInput, VpemetricsError
from vpemetrics.fingerprint import fingerprint
from vpemetrics.folders import locate
from vpemetrics.names import first_few, name_key
from vpemetrics.records import AnyRecord
from vpemetrics.rules import Rules
from vpemetrics.window import format_instant, parse_instant

_SCOPE: Final = "deployments"
_TOLD: Final = 1
"""The version of what is told: with another one the next collection reads all again."""
_FEW: Final = 3
_SHORT: Final = 12


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """Yield what is new in a configuration repository and the services' own since the cursors.

    A batch for each of the services' clones, then one with the deployments. A clone that
    cannot be read keeps none of the others from being collected: FixInput comes at the end.
    """
    clone = look_at(Git(path=locate(context.folder, options.path)), options.branch)
    if clone.tip is None:
        context.warn(f"{clone.git.path} has no commits yet")
        return
    settings, homes = (
        _settings(options, context, clone),
        ServiceRepositories(options, context.folder, _declared(context.rules)),
    )
    after = _to_go_on_from(context, clone, settings, homes)
    authors = GitAuthors(context.rules)
    reading = BumpReader(clone, clone.tip, options, authors).read(after)
    builder = GitopsRecordBuilder(
        reading=reading,
        within=context.rules.superseded_within,
        since=context.begin(options.since),
    )
    for service, versions in builder.versions.items():
        homes.resolve(service, versions)
    yield from _histories(options, context, homes, builder.services)
    cursor = _cursor(clone, builder, homes, settings, context.now)
    for path, why in reading.unreadable.items():
        context.leave_out(f"{clone.git.path}: {path}", f"{clone.git.path}: {why}")
    if cursor != after:
        _warn(clone, builder, context)
        _warn_of_unknown(options, cursor, context)
        records = _records(builder, cursor, homes, context)
        yield Batch(records=records, cursors={_SCOPE: cursor.to_json()})
    if homes.errors:
        raise FixInput("; ".join(map(str, homes.errors.values())))


def _declared(rules: Rules) -> set[str]:
    """The keys of names of services that the configuration gives, ours and those of sources."""
    names = (name for service in rules.services for name in (service.name, *service.sources))
    return set(map(name_key, names))


def _settings(options: Options, context: CollectionContext, clone: Clone) -> str:
    """A short text that differs where something else would be told of the same history."""
    rules = context.rules
    decisive = (_TOLD, asdict(options), clone.branch, author_settings(rules), rules.zone)
    return fingerprint(*decisive, rules.superseded_within)


def _to_go_on_from(
    context: CollectionContext, clone: Clone, settings: str, homes: ServiceRepositories
) -> GitopsCursor | None:
    """The end of the last collection, if what it told stands as it is.

    It does not where clones came or grew in which versions are found that were not before.
    """
    cursor = parse_cursor(context.cursors.get(_SCOPE))
    if cursor is None or cursor.settings != settings:
        return None
    if cursor.boundary != tuple(sorted(clone.boundary)):
        return None
    if homes.among(cursor.cloneless):
        return None
    newly = [homes.resolve(service, own) for service, own in cursor.unresolved.items()]
    return None if any(newly) else cursor


def _histories(
    options: Options,
    context: CollectionContext,
    homes: ServiceRepositories,
    services: Sequence[str],
) -> Iterator[Batch]:
    """Yield what is new in the services' own repositories; `homes` keeps the errors met there."""
    for place, own in homes.among(services).items():
        if place not in homes.errors:
            try:
                yield from _history(options, context, homes, own)
            except VpemetricsError as error:
                homes.errors[place] = error


def _history(
    options: Options,
    context: CollectionContext,
    homes: ServiceRepositories,
    services: Sequence[str],
) -> Iterator[Batch]:
    """Yield what is new in the repository of these services, under cursors of its own."""
    home = homes.of(services[0])
    if home is None:
        return
    mark = f"{home.place}: "
    cursors = {
        scope.removeprefix(mark): cursor
        for scope, cursor in context.cursors.items()
        if scope.startswith(mark)
    }
    wanted = HistoryOptions(
        path=home.place, repository=home.repository, deployments="none", since=options.since
    )
    also = off_branch(home.git, homes.commits(services))
    for batch in collect_history(wanted, replace(context, cursors=cursors), also):
        moved = {f"{mark}{scope}": cursor for scope, cursor in batch.cursors.items()}
        yield replace(batch, cursors=moved)


def _cursor(
    clone: Clone,
    builder: GitopsRecordBuilder,
    homes: ServiceRepositories,
    settings: str,
    now: datetime,
) -> GitopsCursor:
    reading, services = builder.reading, builder.services
    at_home = [service for service in services if homes.of(service)]
    unresolved = {service: own for service in at_home if (own := tuple(homes.unresolved(service)))}
    return GitopsCursor(
        settings=settings,
        tip=clone.tip or "",
        boundary=tuple(sorted(clone.boundary)),
        wanted=tuple(builder.wanted),
        unresolved=unresolved,
        cloneless=tuple(service for service in services if service not in at_home),
        first_at=format_instant(_first_at(reading, now)),
        last_at=format_instant(_last_at(clone, reading, now)),
        unreadable=reading.unreadable,
    )


def _first_at(reading: BumpReading, now: datetime) -> datetime:
    if reading.after:
        return parse_instant(reading.after.first_at)
    return moment(str(reading.first_at)) or now


def _last_at(clone: Clone, reading: BumpReading, now: datetime) -> datetime:
    """Until when everything that was wanted is known: to the last fetch, or the newest commit."""
    known = [clone.seen_at or now, moment(str(reading.last_at))]
    if reading.after:
        known.append(parse_instant(reading.after.last_at))
    return min(now, max(filter(None, known)))


def _records(
    builder: GitopsRecordBuilder,
    cursor: GitopsCursor,
    homes: ServiceRepositories,
    context: CollectionContext,
) -> Iterator[AnyRecord]:
    yield from builder.deployments(homes)
    start, end = parse_instant(cursor.first_at), parse_instant(cursor.last_at)
    yield from builder.coverage(context.source, start, end)


def _warn(clone: Clone, builder: GitopsRecordBuilder, context: CollectionContext) -> None:
    path, passed = clone.git.path, builder.reading.passed
    if clone.boundary:
        context.warn(
            f"{path} is a shallow clone: what was wanted before its history is cut is not known; "
            f"mend it with: git -C {quote(str(path))} fetch --unshallow"
        )
    if not builder.services:
        context.warn(f"no commit in {path} names a version where the settings say it stands")
    if passed:
        context.warn(
            f"files in {path} that could not be read, and were changed since: "
            f"{first_few(passed, _FEW, between='; ')}"
        )


def _warn_of_unknown(options: Options, cursor: GitopsCursor, context: CollectionContext) -> None:
    """Say which versions could not be traced to commits, and what to do about it."""
    if cursor.cloneless:
        where = "where `clones` says" if options.clones else "at hand; say with `clones` where"
        context.warn(
            f"no clones of {first_few(cursor.cloneless, _FEW)} {where}, so what their deployments "
            f"ship is not known"
        )
    if cursor.unresolved:
        versions = [version for own in cursor.unresolved.values() for version in own]
        context.warn(
            f"{len(versions)} versions of {first_few([*cursor.unresolved], _FEW)} are neither "
            f"tag nor commit in their clones, so what these deployments ship is not known: "
            f"{first_few([version[:_SHORT] for version in versions], _FEW)}"
        )

"""`vpemetrics status`: whether the store is fit to be reported from."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from os import stat
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store

if TYPE_CHECKING:
    from vpemetrics.records import AuditEntry
    from vpemetrics.store import Store
    from vpemetrics.usecases.status import Covered, SourceStatus, StoreStatus

FORMAT = "vpemetrics-status/1"
AUDIT_FORMAT = "vpemetrics-audit/1"
_ENTRIES = 20
_EXAMPLES = 3
_SET_IN = 11


Audit = Annotated[
    bool, typer.Option("--audit", help="Who decided what and when instead, the newest first.")
]


@command
def status(session: Session, audit: Audit = False, json: options.Json = False) -> None:
    """Say what the store holds, how old it is, what is wrong.

    Example: vpemetrics status --json
    """
    configuration = session.configuration()
    rules = configuration.rules()
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.status import status as status_of

        if audit:
            _print_audit(store, rules.zone, json=json)
            return
        found = status_of(store, rules, configuration.settings.sources)
    choice = session.choose_store(configuration)
    place, size = _shown(choice.location), _size(choice.location)
    if json:
        output.print_json(_json(found, place, size))
    else:
        lines = _lines(found, place, size, rules.zone, datetime.now(UTC))
        output.print_lines(lines)


def _print_audit(store: "Store", zone: str, *, json: bool) -> None:
    from vpemetrics.store.audit import load

    with store.view() as connection:
        entries = load(connection)
    if json:
        output.print_bytes(_audit_json(entries))
    else:
        lines = _audit_lines(entries, zone)
        output.print_lines(lines)


def _audit_lines(entries: Sequence["AuditEntry"], zone: str) -> Iterator[str]:
    from vpemetrics.reports.columns import plain, wrap

    if not entries:
        yield "Nobody has decided anything yet."
        return
    for entry in entries[:_ENTRIES]:
        who = f" by {plain(entry.who)}" if entry.who else ""
        about = f" {plain(entry.subject)}" if entry.subject else ""
        when = entry.when.astimezone(ZoneInfo(zone))
        yield f"{when:%Y-%m-%d %H:%M}  {plain(entry.action)}{about}{who}"
        for line in wrap(plain(entry.what or ""), output.width() - 2):
            yield f"  {line}"
    if len(entries) > _ENTRIES:
        yield f"… and {len(entries) - _ENTRIES:,} earlier ones (--json shows all)"


def _audit_json(entries: Sequence["AuditEntry"]) -> bytes:
    from json import dumps

    from vpemetrics.window import format_instant

    said = {
        "format": AUDIT_FORMAT,
        "entries": [
            {
                "when": format_instant(entry.when),
                "action": entry.action,
                "subject": entry.subject,
                "what": entry.what,
                "who": entry.who,
            }
            for entry in entries
        ],
    }
    return dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"


def _shown(location: str) -> str:
    from vpemetrics.config.secrets import mask

    return mask(location)


def _size(location: str) -> int | None:
    """The bytes an embedded store takes, its log included; None for a shared one."""
    if "://" in location:
        return None
    return sum(_bytes(location + ending) for ending in ("", "-wal"))


def _bytes(path: str) -> int:
    try:
        return stat(path).st_size
    except FileNotFoundError:
        return 0


def _lines(
    found: "StoreStatus", place: str, size: int | None, zone: str, now: datetime
) -> Iterator[str]:
    from vpemetrics.reports import words
    from vpemetrics.reports.columns import align

    as_of = found.data_as_of
    yield f"Store      {place}" + ("" if size is None else f" ({_megabytes(size)})")
    if as_of is None:
        yield "Data       nothing says which time it covers"
    else:
        age = _age(as_of, now)
        yield f"Data       to {words.moment(as_of, zone, in_year=now.year)} ({zone}), {age}"
    yield f"Lineage    {_lineage(found)}"
    yield ""
    several = len(found.sources) > 1
    for source in found.sources:
        yield from _source_lines(source, zone, now, counts=several)
    yield ""
    rows = [("Records", ""), *((_name(kind), f"{n:,}") for kind, n in found.records.items())]
    yield from align(rows)
    yield ""
    heading = ("Collected", "from", "to", "")
    covered = [_coverage_row(covered, as_of or covered.end, zone) for covered in found.coverage]
    yield from align([heading, *covered])
    yield ""
    yield from _problem_lines(found)


def _source_lines(
    source: "SourceStatus", zone: str, now: datetime, *, counts: bool
) -> Iterator[str]:
    from vpemetrics.records import counts_text
    from vpemetrics.reports.columns import flow, wrap

    room = output.width() - _SET_IN
    said = [_freshness(source, zone, now)]
    if source.covered_until:
        said.append(f"covered to {_moment(source.covered_until, zone, now)}")
    lines = flow(said, ", ", room)
    if source.last and source.error:
        when = _moment(source.last.finished_at, zone, now)
        lines += wrap(f"failed {when}: {source.error}", room)
    if source.left_out:
        from vpemetrics.usecases.collecting import left_out_text

        lines += wrap(left_out_text(source.left_out), room)
    if counts and source.records:
        lines += wrap(counts_text(source.records), room)
    yield f"Source     {source.name}"
    yield from (" " * _SET_IN + line for line in lines)


def _freshness(source: "SourceStatus", zone: str, now: datetime) -> str:
    if source.collected_at:
        at = _moment(source.collected_at, zone, now)
        return f"collected {at}, {_age(source.collected_at, now)}"
    if source.begun:
        return "not collected to the end yet"
    if source.forgotten_at and not source.records:
        return f"forgotten {_moment(source.forgotten_at, zone, now)}, not collected since"
    return "imported" if source.records and not source.last else "never collected"


def _moment(at: datetime, zone: str, now: datetime) -> str:
    from vpemetrics.reports import words

    return words.moment(at, zone, in_year=now.year)


def _lineage(found: "StoreStatus") -> str:
    traced = f"{found.services} service{'' if found.services == 1 else 's'} traced"
    if found.lineage_current:
        return f"up to date, {traced}"
    behind = found.saves - found.lineage_saves
    if behind > 0:
        saves = f"{behind} save{'' if behind == 1 else 's'}"
        return f"{saves} behind, {traced}; the next report brings it up to date"
    return f"the configuration changed, {traced}; the next report brings it up to date"


def _coverage_row(covered: "Covered", as_of: datetime, zone: str) -> tuple[str, ...]:
    from vpemetrics.reports import words

    behind = as_of - covered.end
    lag = f"{words.duration(behind.total_seconds())} older than the newest" if behind else ""
    return (
        _name(covered.kind),
        words.moment(covered.start, zone),
        words.moment(covered.end, zone, in_year=as_of.year),
        lag,
    )


def _problem_lines(found: "StoreStatus") -> Iterator[str]:
    from vpemetrics.reports import words
    from vpemetrics.reports.columns import wrap

    if not found.problems:
        yield "No problem was met in tracing; reports also say what their figures lack."
        return
    yield "Problems in the data"
    for reason, examples in found.problems.items():
        shown = ", ".join(examples[:_EXAMPLES]) + (", …" if len(examples) > _EXAMPLES else "")
        what = f"{len(examples):,} {words.reason(reason, len(examples))}"
        text = f"{what}: {shown}. To mend it: {found.remedies[reason]}."
        first, *more = wrap(text, output.width() - 4)
        yield f"  {first}"
        yield from (f"    {line}" for line in more)


def _name(kind: str) -> str:
    return kind.replace("_", " ")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _age(then: datetime, now: datetime) -> str:
    from vpemetrics.reports import words

    if then - now > timedelta(minutes=1):
        return "which is in the future; check the clocks"
    return f"{words.duration(max((now - then).total_seconds(), 0))} ago"


def _json(found: "StoreStatus", place: str, size: int | None) -> bytes:
    from json import dumps

    from vpemetrics.window import format_instant

    as_of = found.data_as_of
    said: dict[str, Any] = {
        "format": FORMAT,
        "store": place,
        "bytes": size,
        "sources": [_source_json(source) for source in found.sources],
        "records": dict(found.records),
        "data_as_of": as_of and format_instant(as_of),
        "coverage": [
            {
                "kind": covered.kind,
                "start": format_instant(covered.start),
                "end": format_instant(covered.end),
                "scopes": covered.scopes,
            }
            for covered in found.coverage
        ],
        "lineage": {
            "current": found.lineage_current,
            "saves": found.saves,
            "seen": found.lineage_saves,
            "services": found.services,
        },
        "problems": {reason: list(examples) for reason, examples in found.problems.items()},
    }
    return dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"


def _source_json(source: "SourceStatus") -> dict[str, Any]:
    from vpemetrics.window import format_instant

    until, collected = source.covered_until, source.collected_at
    return {
        "name": source.name,
        "collected_at": collected and format_instant(collected),
        "covered_until": until and format_instant(until),
        "forgotten_at": source.forgotten_at and format_instant(source.forgotten_at),
        "error": source.error,
        "left_out": dict(source.left_out),
        "failed_at": format_instant(source.last.finished_at)
        if source.last and source.error
        else None,
        "records": dict(source.records),
    }

"""`vpemetrics check`: whether a collection would go well, before one is made."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from json import dumps
from typing import TYPE_CHECKING, Any, Final

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.collecting import Names, sources_of
from vpemetrics.cli.session import KNOWN, Session, command

if TYPE_CHECKING:
    from vpemetrics.collectors.base import Finding
    from vpemetrics.config.load import Configuration
    from vpemetrics.usecases.checking import Checked

FORMAT: Final = "vpemetrics-check/1"
_SET_IN: Final = 9


@command
def check(session: Session, names: Names = None, json: options.Json = False) -> None:
    """Say whether sources can be collected, and what that takes.

    Asks each source whether it can be reached, what may be read there and what is left of its
    limits, and looks at the store. Changes nothing; ends with 1 if something is in the way.
    Example: vpemetrics check github --json
    """
    configuration = session.configuration()
    found = check_sources(session, configuration, names or [])
    if json:
        output.print_json(_json(found))
    else:
        output.print_lines(_lines(found))
    if any(checked.level == "error" for checked in found):
        raise typer.Exit(KNOWN)


def check_sources(
    session: Session, configuration: "Configuration", names: Sequence[str]
) -> list["Checked"]:
    """The findings about the sources of the configuration, and about the store."""
    from vpemetrics.usecases.checking import check_source, check_store

    sources = sources_of(session, configuration, names)
    choice = session.choose_store(configuration)
    store, cursors = check_store(choice.location, [source.name for source in sources])
    found = []
    with session.progress("Checking") as shown:
        for done, source in enumerate(sources):
            shown(done, len(sources))
            found.append(
                check_source(
                    source,
                    configuration.rules(),
                    cursors=cursors.get(source.name, {}),
                    now=datetime.now(UTC),
                    environ=os.environ,
                )
            )
    return [*found, store]


def _lines(found: Sequence["Checked"]) -> Iterator[str]:
    from vpemetrics.reports.words import quantity

    for checked in found:
        yield from lines_of(checked)
        yield ""
    errors = sum(finding.level == "error" for checked in found for finding in checked.findings)
    warnings = sum(finding.level == "warning" for checked in found for finding in checked.findings)
    if errors:
        yield f"Not ready: {quantity(errors, 'error')}, {quantity(warnings, 'warning')}."
    elif warnings:
        yield f"Ready, with {quantity(warnings, 'warning')}."
    else:
        yield "Ready."


def lines_of(checked: "Checked") -> Iterator[str]:
    """The findings about one source: how they are, what they are, and what mends them."""
    yield checked.name
    for finding in checked.findings:
        yield from _of_finding(finding)


def _of_finding(finding: "Finding") -> Iterator[str]:
    from vpemetrics.reports.columns import command as broken
    from vpemetrics.reports.columns import left, wrap

    room = output.width() - _SET_IN - 2
    lines = [line for part in finding.text.splitlines() for line in wrap(part, room)]
    if finding.mend.startswith("git "):
        lines += broken(finding.mend, room)
    elif finding.mend:
        lines += wrap(f"→ {finding.mend}", room)
    for at, line in enumerate(lines):
        yield f"  {left('' if at else finding.level.value, _SET_IN)}{line}"


def _json(found: Sequence["Checked"]) -> bytes:
    said: dict[str, Any] = {
        "format": FORMAT,
        "ready": not any(checked.level == "error" for checked in found),
        "checked": [
            {
                "name": checked.name,
                "level": checked.level,
                "findings": [
                    {
                        "topic": finding.topic,
                        "level": finding.level,
                        "text": finding.text,
                        "mend": finding.mend or None,
                        "numbers": dict(finding.numbers),
                    }
                    for finding in checked.findings
                ],
            }
            for checked in found
        ],
    }
    return dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"

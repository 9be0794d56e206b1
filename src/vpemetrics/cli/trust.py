"""`vpemetrics trust`: what the configuration here sends, and where to, for a person to allow."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.session import Session, command
from vpemetrics.errors import FixConfiguration

if TYPE_CHECKING:
    from vpemetrics.config.load import Configuration
    from vpemetrics.config.trust import Disclosure

FORMAT: Final = "vpemetrics-trust-list/1"
_NO_FILE: Final = "there is no vpemetrics.toml here that anything could be sent by"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Allow all of it and ask nothing.")]
Revoke = Annotated[
    bool, typer.Option("--revoke", help="Take back all that was allowed to this file instead.")
]


@command
def trust(
    session: Session, yes: Yes = False, revoke: Revoke = False, json: options.Json = False
) -> None:
    """Show which secrets the configuration sends where, and allow it.

    A vpemetrics.toml that only lies here may have come with a clone, so its secrets stay here
    until you allow each host once; one that you name with --config is never asked about.
    Example: vpemetrics trust
    """
    if revoke and (yes or json):
        raise typer.BadParameter("goes with neither --yes nor --json", param_hint="--revoke")
    if revoke:
        _revoke(session)
    else:
        _allow(session, yes=yes, json=json)


def _revoke(session: Session) -> None:
    """Take trust back, from a file too that cannot be read any more."""
    from vpemetrics.config.load import find
    from vpemetrics.config.trust import revoke

    file = session.config or find(Path.cwd(), None, os.environ)
    if file is None:
        raise FixConfiguration(_NO_FILE)
    gone = revoke(file, os.environ, datetime.now(UTC))
    taken = [f"Taken back from {file}" if gone else f"Nothing was allowed to {file}."]
    taken += (f"  {disclosure}" for disclosure in gone)
    output.print_lines(taken)


def _allow(session: Session, *, yes: bool, json: bool) -> None:
    from vpemetrics.config.trust import allow, untrusted

    configuration = session.configuration()
    file = configuration.path
    if file is None:
        raise FixConfiguration(_NO_FILE)
    sent = _disclosures(configuration)
    lacking = untrusted(file, sent, os.environ)
    if lacking and yes:
        allow(file, lacking, os.environ, datetime.now(UTC))
        lacking = []
    if json:
        output.print_bytes(_json(file, sent, lacking))
        return
    output.print_lines(_lines(file, sent, lacking))
    if lacking:
        _ask(session)
        allow(file, lacking, os.environ, datetime.now(UTC))


def _ask(session: Session) -> None:
    if not session.can_ask:
        raise FixConfiguration(
            "there is no terminal to ask on; nothing was allowed\n"
            "With --yes all of it is allowed as it is"
        )
    if not typer.confirm("Allow it from now on?", default=False, err=True):
        raise FixConfiguration("nothing was allowed")


def _disclosures(configuration: "Configuration") -> Sequence["Disclosure"]:
    """All that the configuration sends, as if it had been found."""
    from vpemetrics.config.sources import configured_sources, output_disclosures
    from vpemetrics.config.stores import choose_store

    found = replace(configuration, is_found=True)
    store = choose_store(None, found, Path.cwd(), os.environ, for_import=False)
    sources = configured_sources(found)
    return tuple(
        dict.fromkeys(
            [
                *(sent for source in sources for sent in source.disclosures),
                *store.disclosures,
                *output_disclosures(found, os.environ),
            ]
        )
    )


def _lines(
    file: Path, sent: Sequence["Disclosure"], lacking: Sequence["Disclosure"]
) -> Iterator[str]:
    if not sent:
        yield f"{file} sends no secret, and nothing out of its own folder."
        return
    yield f"{file} sends"
    for disclosure in sent:
        yield f"  {disclosure.setting}: {disclosure}   {_standing(disclosure, lacking)}"


def _standing(disclosure: "Disclosure", lacking: Sequence["Disclosure"]) -> str:
    if disclosure.is_usual:
        return "(its vendor's own)"
    return "(not allowed so far)" if disclosure in lacking else "(allowed)"


def _json(file: Path, sent: Sequence["Disclosure"], lacking: Sequence["Disclosure"]) -> bytes:
    said = {
        "format": FORMAT,
        "file": str(file),
        "allowed": not lacking,
        "sends": [
            {
                "setting": disclosure.setting,
                "what": disclosure.what,
                "to": disclosure.to,
                "allowed": disclosure not in lacking,
                "usual": disclosure.is_usual,
            }
            for disclosure in sent
        ],
    }
    return dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"

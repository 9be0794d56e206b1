"""`vpemetrics collect`: what sources have to say that is new, into the store."""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.session import KNOWN, Session, command
from vpemetrics.errors import FixConfiguration, StoreBusy

if TYPE_CHECKING:
    from vpemetrics.config.load import Configuration
    from vpemetrics.config.sources import Source
    from vpemetrics.rules import Rules
    from vpemetrics.store import Store
    from vpemetrics.usecases.collecting import Collected

FORMAT: Final = "vpemetrics-collection/1"

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SOURCE]...",
        show_default=False,
        help="Sources of the configuration; default: all, or this git clone where there are none.",
    ),
]


@command
def collect(session: Session, names: Names = None, json: options.Json = False) -> None:
    """Save what sources have to say that is new.

    Example: vpemetrics collect pipelines pager
    """
    configuration = session.configuration()
    sources = sources_of(session, configuration, names or [])
    choice = session.choose_store(configuration)
    session.note(str(choice))

    from vpemetrics.store import Store
    from vpemetrics.usecases.audit import note_trust

    with Store.open(choice.location) as store:
        note_trust(store, configuration.path, os.environ)
        results = collect_each(session, store, sources, configuration.rules())
        if keep_only(session, store, configuration) or any(result.new for result in results):
            _trace(session, store, configuration.rules())
    if json:
        output.print_json(_json(results))
    for bug in filter(None, (result.bug for result in results)):
        raise bug
    if any(result.error for result in results):
        raise typer.Exit(KNOWN)
    if any(result.new for result in results):
        session.note(f"now: {session.hint('report')}")


def keep_only(session: Session, store: "Store", configuration: "Configuration") -> bool:
    """Forget what is kept for long enough; tell whether anything was."""
    from vpemetrics.records import counts_text
    from vpemetrics.usecases.forgetting import keep_only_and_finish

    keep = configuration.settings.retention.keep
    now = datetime.now(UTC)
    rules = configuration.rules()
    gone = keep_only_and_finish(store, keep, rules, now=now, warn=session.warn)
    if gone:
        session.note(f"kept for long enough, and forgotten: {counts_text(gone)}")
    return bool(gone)


def _trace(session: Session, store: "Store", rules: "Rules") -> None:
    """Bring lineage up to date, so that nobody who asks for a report waits for it."""
    from vpemetrics.usecases.update_lineage import bring_up_to_date

    # A report makes up for it where another process is writing.
    with session.progress("Tracing services") as advance, suppress(StoreBusy):
        bring_up_to_date(store, rules, advance)


def collect_source(
    session: Session, store: "Store", source: "Source", rules: "Rules"
) -> "Collected":
    """Collect one source, with a bar on terminals; warnings come when the bar is gone."""
    from vpemetrics.usecases.collecting import collect

    warnings: list[str] = []
    with session.progress(f"Collecting {source.name}") as shown:
        result = collect(
            store,
            source,
            rules,
            clock=lambda: datetime.now(UTC),
            warn=warnings.append,
            progress=shown,
            announce=lambda text: shown.say(f"{source.name}: {text}"),
            countdown=shown.count_down,
            environ=os.environ,
        )
    for text in warnings:
        session.warn(f"{source.name}: {text}")
    return result


def collect_each(
    session: Session, store: "Store", sources: Sequence["Source"], rules: "Rules"
) -> list["Collected"]:
    """Collect sources one after the other, and say of each what was new or what went wrong."""
    results = []
    for source in sources:
        result = collect_source(session, store, source, rules)
        results.append(result)
        _tell(session, result)
    return results


def _tell(session: Session, result: "Collected") -> None:
    if result.error:
        session.fail(f"{result.source}: {result.error}")
        return
    from vpemetrics.usecases.collecting import news

    session.note(f"{result.source}: {news(result)} ({result.seconds:.1f} s)")


def sources_of(
    session: Session, configuration: "Configuration", names: Sequence[str]
) -> list["Source"]:
    """The sources of a configuration, or those named; without any the clone one is in.

    A person has allowed what they send.
    """
    from vpemetrics.config.sources import clone_as_source, configured_sources
    from vpemetrics.config.stores import find_git_dir

    found = configured_sources(configuration, names)
    if found:
        session.require_trust(configuration, (sent for one in found for sent in one.disclosures))
        return found
    if configuration.path is None and find_git_dir(Path.cwd()):
        return [clone_as_source(Path.cwd())]
    raise nothing_to_collect(configuration)


def nothing_to_collect(configuration: "Configuration") -> FixConfiguration:
    """The error of a configuration without sources, or of none; it says how to name one."""
    here = (
        f"{configuration.path} names no source to collect from; add one"
        if configuration.path
        else "nothing says what to collect: this is no git clone, and there is no vpemetrics.toml\n"
        "Run it inside a clone, or make that file with `vpemetrics init` or by hand"
    )
    return FixConfiguration(
        f"{here}, for example\n"
        "[sources.shop]\n"
        'type = "git"\n'
        'path = "path/to/clone"\n'
        "docs/collectors.md lists the types of sources; `vpemetrics import` takes files"
    )


def _json(results: Sequence["Collected"]) -> bytes:
    said: dict[str, Any] = {
        "format": FORMAT,
        "sources": [
            {
                "source": result.source,
                "seconds": round(result.seconds, 3),
                "read": dict(result.read),
                "new": dict(result.new),
                "left_out": dict(result.left_out),
                "error": result.error,
            }
            for result in results
        ],
    }
    return dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"

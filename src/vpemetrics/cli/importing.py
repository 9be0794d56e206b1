"""`vpemetrics import`: records from files into the store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from vpemetrics.cli import options
from vpemetrics.cli.session import Session, command

REJECTED: Final = Path("rejected-rows.csv")

_PART = 2**20

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Folders, or files named deployments.csv and so on."),
]
Source = Annotated[
    str, typer.Option(metavar="NAME", help="Source of the rows that name none; default: files.")
]
Covers = Annotated[
    str | None,
    typer.Option(
        metavar="FROM..TO",
        help="Dates the files speak for, the last one out; default: from first to last row.",
    ),
]
SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help=f"Save the good rows, and write the bad ones to {REJECTED}."),
]


@command
def import_(
    session: Session,
    paths: Paths,
    source: Source = "files",
    covers: Covers = None,
    skip_bad: SkipBad = False,
) -> None:
    """Save records from CSV or JSON Lines files.

    Example: vpemetrics import exports/ --covers 2026-01-01..2026-09-01
    """
    dates = _dates(covers)
    configuration = session.configuration()
    choice = session.choose_store(configuration, for_import=True)
    session.note(str(choice))
    _check_paths(paths)

    from vpemetrics.store import Store
    from vpemetrics.usecases.files import import_files

    with Store.open(choice.location) as store:
        before = store.batch()
        with session.progress("Saving records") as advance:
            total = _lines(paths) if session.shows_progress else 0
            counts = import_files(
                store,
                paths,
                configuration.rules(),
                source=source,
                covers=dates,
                rejected=REJECTED if skip_bad else None,
                warn=session.warn,
                progress=lambda done: advance(done, total),
                now=datetime.now(UTC),
            )
        _tell(session, counts, changed=store.batch() != before)


def _tell(session: Session, counts: Mapping[str, int], *, changed: bool) -> None:
    from vpemetrics.records import counts_text

    if not counts:
        session.note("the files hold no rows; nothing was saved")
    elif changed:
        session.note(f"saved: {counts_text(counts)}", f"now: {session.hint('report')}")
    else:
        session.note(f"read: {counts_text(counts)}; all of it was known already")


def _check_paths(paths: Sequence[Path]) -> None:
    """Refuse what is not there before a store is made for it."""
    from vpemetrics.errors import FixInput

    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise FixInput(f"there is no file or folder {', '.join(missing)}")


def _lines(paths: Sequence[Path]) -> int:
    """About how many rows there are to read, by counting lines."""
    found = [file for path in paths for file in (path.iterdir() if path.is_dir() else [path])]
    return sum(_lines_of(file) for file in found if file.suffix in (".csv", ".jsonl"))


def _lines_of(file: Path) -> int:
    with file.open("rb") as content:
        return sum(part.count(b"\n") for part in iter(lambda: content.read(_PART), b""))


def _dates(covers: str | None) -> tuple[date, date] | None:
    if covers is None:
        return None
    start, mark, end = covers.partition("..")
    if not mark:
        raise typer.BadParameter(
            f"{covers!r} is no range of dates; expected one like 2026-01-01..2026-09-01",
            param_hint="--covers",
        )
    return options.dates(start, end, "--covers")

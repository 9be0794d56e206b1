"""The made-up organisation in a folder of its own: configuration, records, store and reports.

vpemetrics.toml   its configuration
slo.csv           its service level objectives
records/          what happened in it, as import files
vpemetrics.db     its store
reports/          where its reports go
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from vpemetrics.config.load import FILE_NAME, Configuration, load
from vpemetrics.config.sources import configured_sources
from vpemetrics.demo.calendar import Calendar
from vpemetrics.demo.files import RecordFiles
from vpemetrics.demo.history import looked_at, records
from vpemetrics.demo.settings import RECORDS, configuration, objectives
from vpemetrics.errors import FixInput
from vpemetrics.files import write
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect

MARK: Final = "# Made by `vpemetrics demo`, which makes this folder anew each time.\n"
STORE, REPORTS = "vpemetrics.db", "reports"


def lay_out(folder: Path, calendar: Calendar) -> None:
    """Write the files of the organisation, its records among them.

    FixInput for a folder that holds anything else than an earlier demo.
    """
    _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / FILE_NAME, f"{MARK}\n{configuration(calendar)}".encode())
    write(folder / "slo.csv", objectives().encode())
    (folder / REPORTS).mkdir(exist_ok=True)
    with RecordFiles(folder / RECORDS) as files:
        for record in records(calendar):
            files.write(record)


def rules_of(folder: Path) -> Rules:
    """The rules of the configuration in the folder, whatever the environment says."""
    return _configuration(folder).rules()


def fill_store(
    folder: Path,
    calendar: Calendar,
    warn: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> None:
    """Collect from the organisation's files into a new store."""
    for beside in ("", "-wal", "-shm"):
        (folder / f"{STORE}{beside}").unlink(missing_ok=True)
    with Store.open(folder / STORE) as store:
        (source,) = configured_sources(_configuration(folder))
        result = collect(
            store,
            source,
            rules_of(folder),
            clock=lambda: looked_at(calendar),
            warn=warn,
            progress=progress,
        )
        if result.error:
            raise result.bug or FixInput(result.error)


def _configuration(folder: Path) -> Configuration:
    return load(folder / FILE_NAME, {})


def _check(folder: Path) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    file = folder / FILE_NAME
    if not file.is_file() or not file.read_bytes().startswith(MARK.encode()):
        raise FixInput(
            f"{folder} holds something else; nothing in it was touched. "
            "Name a folder that is empty or not there yet."
        )

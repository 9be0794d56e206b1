"""The made-up organisation in a folder of its own: records, configuration and store.

vpemetrics.toml   its configuration
slo.csv           its service level objectives
records/          what its sources say, as files to import
vpemetrics.db     its store
reports/          where its reports go
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from vpemetrics.config.load import FILE_NAME, load
from vpemetrics.errors import FixInput
from vpemetrics.rules import Rules
from vpemetrics.simulate.acme.history import records
from vpemetrics.simulate.acme.settings import configuration, objectives
from vpemetrics.simulate.files import RecordFiles
from vpemetrics.store import Store
from vpemetrics.usecases.files import SOURCE, TOLD_EVERY, import_files

MARK: Final = "# Made by `vpemetrics demo`, which makes this folder anew each time.\n"
RECORDS, STORE, REPORTS = "records", "vpemetrics.db", "reports"

Told = Callable[[int], None]


def lay_out(folder: Path, progress: Told) -> int:
    """Writes the files of the organisation; how many records there are, `progress` being told too.

    FixInput for a folder that holds anything else than an earlier demo.
    """
    _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(f"{MARK}\n{configuration()}", encoding="utf-8")
    (folder / "slo.csv").write_text(objectives(), encoding="utf-8")
    (folder / REPORTS).mkdir(exist_ok=True)
    with RecordFiles(folder / RECORDS) as files:
        for count, record in enumerate(records(SOURCE), 1):
            files.write(record)
            if count % TOLD_EVERY == 0:
                progress(count)
        return files.counts.total()


def rules_of(folder: Path) -> Rules:
    """What the configuration in the folder says, whatever the environment does."""
    return load(folder / FILE_NAME, {}).rules()


def fill_store(folder: Path, warn: Callable[[str], None], progress: Told) -> None:
    """Imports the records into a new store; `progress` is told how many have been read."""
    for beside in ("", "-wal", "-shm"):
        (folder / f"{STORE}{beside}").unlink(missing_ok=True)
    with Store.open(folder / STORE) as store:
        paths = [folder / RECORDS]
        import_files(store, paths, rules_of(folder), warn=warn, progress=progress)


def _check(folder: Path) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    file = folder / FILE_NAME
    if not file.is_file() or not file.read_bytes().startswith(MARK.encode()):
        raise FixInput(
            f"{folder} holds something else; nothing in it was touched. "
            "Name a folder that is empty or not there yet."
        )

"""The files that SQLite keeps beside a database, and obeys: only what it made for a store of ours.

They come with a folder as the database does, by a clone or an archive, and whoever made them
decides by them which files SQLite writes to or removes.
"""

import os
from contextlib import suppress
from pathlib import Path
from shlex import quote
from stat import S_ISREG
from typing import Final

from vpemetrics.errors import StoreProblem

# https://www.sqlite.org/tempfiles.html
_SUFFIXES: Final = ("-journal", "-wal", "-shm")
_JOURNAL: Final = "-journal"
# At the end of a journal that names another file, which SQLite removes when it has read both:
# https://www.sqlite.org/fileformat2.html#the_rollback_journal
_MAGIC: Final = bytes.fromhex("d9d505f920a163d7")


def side_files(path: Path) -> tuple[Path, ...]:
    """The paths of the files that SQLite keeps beside a database while it needs them."""
    return tuple(path.with_name(f"{path.name}{suffix}") for suffix in _SUFFIXES)


def check_side_files(path: Path) -> None:
    """Refuse what no store of ours ever had beside it: StoreProblem, with nothing touched.

    Several databases never change in one transaction here, so no journal names another file.
    """
    for file in side_files(path):
        with suppress(FileNotFoundError):  # another process may have finished just now
            if not S_ISREG(file.lstat().st_mode):
                raise _refusal(path, file, "is no file, but leads elsewhere")
            if file.name.endswith(_JOURNAL) and _names_another(file):
                raise _refusal(path, file, "names another file, which SQLite would remove")


def _names_another(journal: Path) -> bool:
    with journal.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_MAGIC)))
        return file.read() == _MAGIC


def _refusal(path: Path, file: Path, why: str) -> StoreProblem:
    return StoreProblem(
        f"{path}: {file.name} beside this store {why}. vpemetrics makes none like that; it was "
        "left as it is, and the store was not opened.\n"
        f"If the folder came from somebody else, they laid it there: rm {quote(str(file))}"
    )

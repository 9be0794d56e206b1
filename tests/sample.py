"""A small made-up organisation that holds an example of everything, for tests to run on.

tests/demo/test_sample.py has the list of what there is.
"""

import atexit
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

from vpemetrics.demo.blueprint import Blueprint, configuration
from vpemetrics.demo.files import RecordFiles
from vpemetrics.demo.organisation import records_of
from vpemetrics.records import AnyRecord

PLAN: Final = Blueprint(
    services=("checkout", "search", "accounts", "notifications"),
    two_regions=frozenset({"checkout"}),
    ends=date(2026, 9, 7),
    weeks=30,
    commits=1150,
    changes=330,
    deployments=230,
    incidents=26,
    seed=2643,  # under which chance brings an example of everything
)


def records() -> Iterator[AnyRecord]:
    """All of its records, of a source that is called as files are."""
    return records_of(PLAN, source="files")


@cache
def files() -> Path:
    """A folder with its records and its configuration, gone when the tests are over."""
    folder = Path(mkdtemp(prefix="vpemetrics-sample-"))
    atexit.register(rmtree, folder)
    with RecordFiles(folder) as written:
        for record in records():
            written.write(record)
    (folder / "vpemetrics.toml").write_text(configuration(PLAN), encoding="utf-8")
    return folder

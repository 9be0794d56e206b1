"""A hundred thousand commits: a new week leads to what tracing everything anew leads to."""

import subprocess
import sys
from pathlib import Path

import pytest
from commandline import spawn
from stored import read
from subprocesses import environment

from vpemetrics.store import Store

GENERATOR = Path(__file__).parents[2] / "benchmarks" / "generate.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The made-up organisation of size S: a history, and a new week."""
    made = subprocess.run(
        [sys.executable, str(GENERATOR), "S", str(tmp_path)], env=environment(), check=False
    )
    assert made.returncode == 0
    return tmp_path


@pytest.mark.soak  # its small sibling: test_update_lineage, whatever the order of arrival
def test_a_new_week_comes_to_what_all_at_once_comes_to(folder: Path) -> None:
    config = ("--config", folder / "vpemetrics.toml", "-q")
    for part in ("history", "new-week"):
        assert spawn("import", folder / part, *config).returncode == 0
        assert spawn("report", "--json", *config).returncode == 0
    with Store.open(folder / "vpemetrics.db") as store:
        step_by_step = read(store)
    gone_on_with = spawn("report", "--json", *config).stdout

    assert spawn("recompute", *config).returncode == 0

    with Store.open(folder / "vpemetrics.db") as store:
        assert read(store) == step_by_step
    assert spawn("report", "--json", *config).stdout == gone_on_with

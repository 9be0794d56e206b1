"""An import that is killed in the middle: nothing of it stays, and the next one is whole."""

from pathlib import Path

import pytest
from killing import kill_before, run_unharmed, steps_of
from tiers import scored

from vpemetrics.store import Store

pytestmark = pytest.mark.slow

ROWS = 40_000
"""Commits of an import: some chunks of them."""
WHOLE = {"commits": ROWS, "coverage": 1}


@pytest.fixture
def history(folder: Path) -> Path:
    """Enough commits for an import to write a while."""
    path = folder / "commits.csv"
    with path.open("w") as file:
        file.write("sha,repository,parents,authored_at,committed_at,author\n")
        for number in range(ROWS):
            parent = f"{number - 1:040x}" if number else ""
            moment = "2026-09-01T10:00:00Z"
            file.write(f"{number:040x},shop,{parent},{moment},{moment},ann\n")
    return path


@scored("kills", 3, soak=20)
def test_a_killed_import_leaves_nothing_and_the_next_is_whole(
    history: Path, folder: Path, kills: int
) -> None:
    code, total = run_unharmed("import", history, "--store", "unharmed.db")
    assert code == 0
    left, killed = [], 0

    for number, step in enumerate(steps_of(total, kills, seed=3)):
        store = folder / f"{number}.db"
        killed += kill_before(step, "import", history, "--store", store)
        with Store.open(store) as found:
            left.append(found.counts())

    assert killed == kills
    assert {} in left
    assert all(counts in ({}, WHOLE) for counts in left)
    assert run_unharmed("import", history, "--store", store)[0] == 0
    with Store.open(store) as whole:
        assert whole.counts() == WHOLE

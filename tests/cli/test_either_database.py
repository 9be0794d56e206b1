"""What people read is the same from a file as from a server."""

import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commandline import invoke
from postgres import PASSWORD
from sample import files

SAMPLE = files()

STEPS = (
    f"import {SAMPLE}",
    "report",
    "report --json",
    "report --quarter 2026-Q2 --service search",
    "explain cfr",
    "explain lead_time",
    "explain search/132",
    "explain inc-2-1",  # unknown so, but it resembles others
    "explain 'example/search#82'",
    "triage list --all",
    "triage confirm INC-2-11 --why trace",
    "triage link INC-4-4 search/110 --why bisected",
    "recompute",
    "report --json",
    "status",
    "export out",
)


@pytest.mark.slow
@pytest.mark.needs_postgresql
def test_every_command_says_the_same_of_either_database(
    folder: Path, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(SAMPLE / "vpemetrics.toml", folder)
    monkeypatch.setenv("COLUMNS", "100")
    said = []
    for location in (str(folder / "store.db"), new_database()):
        monkeypatch.setenv("DATABASE", location)
        said.append([step(words) for words in STEPS])
        os.rename("out", f"out-{len(said)}")

    for words, file, server in zip(STEPS, *said, strict=True):
        assert server == file, words
    assert exported(folder / "out-1") == exported(folder / "out-2")


def step(words: str) -> tuple[int, str, list[str]]:
    """What a command came to, without what cannot be the same: places, times, durations."""
    result = invoke(*(word.strip("'") for word in words.split()), "--store", "env:DATABASE")
    assert PASSWORD not in result.output
    out, err = (
        [line for line in text.splitlines() if not line.lower().startswith("store")]
        for text in (result.stdout, result.stderr)
    )
    return result.exit_code, without_now("\n".join(out)), err


def without_now(text: str) -> str:
    """The text without the moments at which decisions were made."""
    today = datetime.now(UTC).date()
    return re.sub(rf"({today}|{today - timedelta(days=1)})[T ][\d:]{{8}}(\.\d+Z)?", "now", text)


def exported(folder: Path) -> dict[str, str]:
    """The files of an export, authors by the order in which they appear: each store has a key."""
    files = folder.rglob("*.csv")
    return {path.name: without_now(without_authors(path.read_text())) for path in files}


def without_authors(text: str) -> str:
    met: dict[str, str] = {}
    return re.sub(r"h:[0-9a-f]{16}", lambda one: met.setdefault(one[0], f"h:{len(met)}"), text)

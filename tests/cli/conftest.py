"""A place to run commands in: an empty folder, an empty home, nothing of the tester's own."""

import os
import shutil
from pathlib import Path

import pytest
from sample import files

from vpemetrics.config.load import load
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.update_lineage import bring_up_to_date


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the sample in it, made once; copy it."""
    path = tmp_path_factory.mktemp("sample") / "sample.db"
    with Store.open(path) as store:
        import_files(store, [files()], Rules(), warn=pytest.fail, progress=lambda _: None)
    return path


@pytest.fixture(scope="session")
def traced(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with what follows from it by the sample's configuration; copy it."""
    path = Path(shutil.copy(imported, tmp_path_factory.mktemp("traced") / "sample.db"))
    with Store.open(path) as store:
        bring_up_to_date(store, load(files() / "vpemetrics.toml", {}).rules())
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty, and so is the home."""
    for name in list(os.environ):
        if name.startswith(("VPEMETRICS_", "XDG_")) or name in ("NO_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def store(folder: Path, imported: Path) -> Path:
    """A store with the sample in the working directory."""
    return Path(shutil.copy(imported, folder / "vpemetrics.db"))


@pytest.fixture
def sample(folder: Path, traced: Path) -> Path:
    """The sample's store beside the sample's configuration, which is in force."""
    shutil.copy(files() / "vpemetrics.toml", folder)
    return Path(shutil.copy(traced, folder / "vpemetrics.db"))


@pytest.fixture
def untraced(folder: Path, store: Path) -> Path:
    """The same, of which nothing was worked out yet."""
    shutil.copy(files() / "vpemetrics.toml", folder)
    return store

"""Addresses of stores that lead elsewhere than they seem to, or nowhere."""

import os
from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.errors import StoreProblem
from vpemetrics.store import Store

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///file:{folder}/in\t/x.db?uri=true",  # a tab is none for who checks the path
        "sqlite:///file:{folder}/q%ff/x.db?uri=true",  # nor is a byte that is no letter
        "sqlite:///file:{folder}/x.db?uri=true",
        "sqlite:///{folder}/x.db?vfs=unix-none",
        "sqlite:///{folder}/x.db?timeout=abc",
        "sqlite:///{folder}/x.db?factory=os:system",
        "sqlite://elsewhere/{folder}/x.db",
        "sqlite+pysqlcipher:///{folder}/x.db",
        "sqlite+nobody:///{folder}/x.db",
        "sqlite:///{folder}/%00",
        "sqlite:///:memory:",
        "sqlite://",
    ],
)
def test_an_address_on_sqlite_is_a_path_and_nothing_else(tmp_path: Path, address: str) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    (folder / "in").mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "in\t").symlink_to(elsewhere)
    (folder / os.fsdecode(b"q\xff")).symlink_to(elsewhere)

    with pytest.raises(StoreProblem, match="is sqlite:/// and the path of a file"):
        Store.open(address.format(folder=folder))

    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("query", ["port=abc", "foo=bar", "connect_timeout=abc", "sslmode=zz"])
def test_what_an_address_on_postgresql_cannot_have_is_no_bug(query: str) -> None:
    with pytest.raises(StoreProblem, match="postgresql:///x: "):
        Store.open(f"postgresql:///x?{query}")


def test_a_configuration_that_was_found_is_asked_about_where_its_store_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "clone" / "in").mkdir(parents=True)
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "clone")
    Path("in\t").symlink_to(elsewhere)
    text = 'store = "sqlite:///file:in\\t/x.db?uri=true"\n[sources.shop]\ntype = "git"\n'
    Path("vpemetrics.toml").write_text(text, encoding="utf-8")

    result = invoke("recompute")

    assert result.exit_code == 1
    assert list(elsewhere.iterdir()) == []

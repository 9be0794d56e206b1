"""A setting up that is killed: its configuration is whole and trusted, or not there."""

import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from deploying_world import TOKEN, deploying_world
from github_server.server import SimulatedGitHub
from killing import kill_before, run_unharmed, steps_of
from tiers import scored

from vpemetrics.records import RECORD_TYPES, AnyRecord, AuditEntry
from vpemetrics.store import Store

pytestmark = pytest.mark.slow

CONFIGURATION = Path("vpemetrics.toml")
INIT = ("init", "acme/*", "--yes", "--store", "env:STORE")
NEVER = datetime.min.replace(tzinfo=UTC)
COLLECT = ("collect", "--store", "env:STORE")


@pytest.fixture
def github(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedGitHub]:
    """GitHub, whose address and token the environment knows."""
    with SimulatedGitHub(deploying_world()) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield server


def start_anew() -> None:
    """Forget the configuration, and what is trusted to send."""
    CONFIGURATION.unlink()
    shutil.rmtree(Path.home() / ".config")


def written() -> dict[str, Any]:
    return tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))


def held(location: str) -> list[object]:
    with Store.open(location) as store:
        return [
            (source, timeless(record))
            for kind in RECORD_TYPES
            if kind != "coverage"
            for source, record in store.records(kind)
        ]


def timeless(record: AnyRecord) -> AnyRecord:
    """A record, with one time for all decisions."""
    return replace(record, when=NEVER) if isinstance(record, AuditEntry) else record


@scored("kills", 3, soak=20)
@pytest.mark.usefixtures("github")
def test_an_init_killed_before_any_step_and_run_again_comes_to_the_same(
    new_location: Callable[[], str], monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    undisturbed = new_location()
    monkeypatch.setenv("STORE", undisturbed)
    _, of_proposal = run_unharmed(*INIT, "--no-collect")
    start_anew()
    code, of_all = run_unharmed(*INIT)
    assert code == 0
    settings, expected = written(), held(undisturbed)
    # The configuration is written at the end of the proposal.
    early = range(of_proposal - kills // 2, of_proposal + 1)
    wrote, killed = [], 0

    for step in [*early, *steps_of(of_all, kills - len(early), seed=19)]:
        start_anew()
        location = new_location()
        monkeypatch.setenv("STORE", location)
        killed += kill_before(step, *INIT)
        wrote.append(CONFIGURATION.exists())
        again = COLLECT if wrote[-1] else INIT
        assert run_unharmed(*again)[0] == 0
        assert written() == settings
        assert held(location) == expected

    assert killed  # all but those whose threads took fewer steps, and which ended well
    assert set(wrote) == {False, True}

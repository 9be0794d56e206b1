"""A setting up that is killed: its configuration is whole or not there, its store whole."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deploying_world import TOKEN, deploying_world
from github_server.server import SimulatedGitHub
from killing import kill_before, run_unharmed, steps_of
from tiers import scored

from vpemetrics.records import RECORD_TYPES
from vpemetrics.store import Store

pytestmark = pytest.mark.slow

CONFIGURATION = Path("vpemetrics.toml")
INIT = ("init", "acme/*", "--yes", "--store", "env:STORE")
COLLECT = ("collect", "--store", "env:STORE")


@pytest.fixture
def github(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedGitHub]:
    """GitHub, whose address and token the environment knows."""
    with SimulatedGitHub(deploying_world()) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield server


def written() -> dict[str, Any]:
    return tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))


def held(location: str) -> list[object]:
    with Store.open(location) as store:
        return [
            record for kind in RECORD_TYPES if kind != "coverage" for record in store.records(kind)
        ]


@scored("kills", 3, soak=20)
@pytest.mark.usefixtures("github")
def test_an_init_killed_before_any_step_and_run_again_comes_to_the_same(
    new_location: Callable[[], str], monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    undisturbed = new_location()
    monkeypatch.setenv("STORE", undisturbed)
    run_unharmed(*INIT, "--no-collect")  # after which the user's folder knows its hosts
    CONFIGURATION.unlink()
    _, of_proposal = run_unharmed(*INIT, "--no-collect")
    CONFIGURATION.unlink()
    code, of_all = run_unharmed(*INIT)
    assert code == 0
    settings, expected = written(), held(undisturbed)
    # The configuration is written at the end of the proposal.
    early = range(of_proposal - kills // 2, of_proposal + 1)
    wrote, killed = [], 0

    for step in [*early, *steps_of(of_all, kills - len(early), seed=19)]:
        CONFIGURATION.unlink()
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

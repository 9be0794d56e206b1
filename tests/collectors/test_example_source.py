"""The example package in `collectors/`, built, installed and run as its README tells."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from commandline import invoke
from loopback import Asked, Hourglass, Loopback, Say, loopback
from subprocesses import PATIENCE, environment

from vpemetrics.addresses import host_of
from vpemetrics.collectors.registry import COLLECTORS, collector_names, collector_of
from vpemetrics.store import Store

pytestmark = pytest.mark.slow  # the example is installed

EXAMPLE = Path(__file__).parents[2] / "collectors" / "release-board"
TOKEN = "board-canary-0123456789"
PAGE = 2


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package was installed into."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    subprocess.run(
        [*pip, *alone, "--target", str(target), str(EXAMPLE)],
        env=environment(),
        check=True,
        timeout=PATIENCE,
    )
    return target


@dataclass(kw_only=True)
class Board:
    """A release board in pages of two; `trouble` comes before the answers."""

    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    trouble: list[Say] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def note(self, id_: str, state: str, days_ago: float, **more: Any) -> None:
        at = moment(now() - timedelta(days=days_ago))
        self.releases[id_] = {
            "id": id_,
            "application": "shop",
            "environment": "production",
            "state": state,
            "version": f"1.{id_}",
            "started_at": at,
            "finished_at": None if state == "running" else at,
            "updated_at": at,
            **more,
        }

    def answer(self, asked: Asked) -> Say:
        self.asked.append(asked)
        if self.trouble:
            return self.trouble.pop(0)
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Say(status=401, json={"message": "who are you?"})
        parts = urlsplit(asked.path)
        if parts.path == "/api/v1/applications":
            return Say(json=sorted({one["application"] for one in self.releases.values()}))
        assert parts.path == "/api/v1/releases"
        return self._page(dict(parse_qsl(parts.query)))

    def _page(self, wanted: dict[str, str]) -> Say:
        start, end = wanted["updated_from"], wanted["updated_to"]
        found = sorted(
            (one for one in self.releases.values() if start <= one["updated_at"] < end),
            key=lambda release: release["updated_at"],
        )
        at = int(wanted.get("cursor", 0))
        following = str(at + PAGE) if at + PAGE < len(found) else None
        return Say(json={"releases": found[at : at + PAGE], "next": following})


def now() -> datetime:
    """This second, and not the one in which a long run of tests began."""
    return datetime.now(UTC).replace(microsecond=0)


def moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback(Hourglass(now())) as running:
        yield running


@pytest.fixture
def board(server: Loopback) -> Board:
    board = Board()
    for number, state in enumerate(["done", "failed", "done", "reverted", "running"]):
        board.note(str(number), state, 20 - number)
    board.note("9", "done", 3, environment="staging")
    server.answer = board.answer
    return board


@pytest.fixture
def folder(
    tmp_path: Path, server: Loopback, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder whose configuration names the board, where the package is installed."""
    url = server.url.removesuffix("/api/v3")
    (tmp_path / "vpemetrics.toml").write_text(
        f'[sources.releases]\ntype = "release-board"\nurl = "{url}"\n'
        'environments = ["production"]\n'
    )
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RELEASE_BOARD_TOKEN", TOKEN)
    monkeypatch.setenv("VPEMETRICS_TRUST", str(host_of(url)))
    monkeypatch.delenv("RELEASE_BOARD_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def statuses() -> dict[str, str]:
    """The deployments in the store by id, with how they ended."""
    with Store.open("vpemetrics.db") as store:
        return {record.key: record.status.value for _, record in store.records("deployments")}  # type: ignore[union-attr]  # all are deployments


@pytest.mark.slow
def test_the_installed_package_is_a_type_of_source_beside_ours(folder: Path) -> None:
    assert "release-board" not in COLLECTORS
    assert "release-board" in collector_names()
    assert collector_of("release-board").options.__module__ == "vpemetrics_release_board"


@pytest.mark.slow
def test_releases_become_deployments_and_only_what_is_new_is_asked_for(
    folder: Path, board: Board
) -> None:
    first = invoke("collect")
    pages = len(board.asked)
    board.note("5", "done", 0.001)
    board.note("4", "done", 0.001)  # it was running
    again = invoke("collect")

    assert first.exit_code == 0, first.stderr
    assert "releases: new deployments 5" in first.stderr
    assert again.exit_code == 0, again.stderr
    assert statuses() == {
        "0": "succeeded",
        "1": "failed",
        "2": "succeeded",
        "3": "rolled_back",
        "4": "succeeded",
        "5": "succeeded",
    }
    assert len(board.asked) - pages < pages


@pytest.mark.slow
def test_a_board_in_trouble_is_asked_again(folder: Path, board: Board) -> None:
    board.trouble = [
        Say(status=502, json={}),
        Say(json={"releases": []}, cut=True),
        Say(status=429, json={"message": "slow down"}, headers={"Retry-After": "1"}),
    ]

    result = invoke("collect")

    assert result.exit_code == 0, result.stderr
    assert len(statuses()) == 5
    assert "waiting" in result.stderr


def test_the_check_says_what_is_on_the_board_and_what_is_wrong(
    folder: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = json.loads(invoke("check", "--json").stdout)
    board.releases.clear()
    empty = invoke("check")
    monkeypatch.setenv("RELEASE_BOARD_TOKEN", "another")
    refused = invoke("check")

    texts = [finding["text"] for finding in good["checked"][0]["findings"]]
    assert texts == ["127.0.0.1 answers", "1 on the board: shop"]
    assert "there is no application on the board" in empty.stdout
    assert refused.exit_code == 1
    assert "Board does not accept the token" in " ".join(refused.stdout.split())


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('url = "board"', 'sources.releases: url is an address, as in "https://board.acme'),
        ('environment = "production"', "unknown setting; did you mean environments?"),
        ('token = "s3cret-s3cret"', "sources.releases.token: "),
    ],
)
def test_a_wrong_setting_is_told_as_those_of_our_sources_are(
    folder: Path, line: str, complaint: str
) -> None:
    key = line.partition(" ")[0]
    settings = Path("vpemetrics.toml").read_text().splitlines()
    kept = [text for text in settings if not text.startswith(f"{key} ")]
    Path("vpemetrics.toml").write_text("\n".join([*kept, line]))

    result = invoke("status")

    assert result.exit_code == 1
    assert complaint in result.stderr
    assert "s3cret" not in result.stderr


def test_init_proposes_the_board_that_the_environment_names(
    folder: Path, server: Loopback, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GH_HOST", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    url = server.url.removesuffix("/api/v3")
    monkeypatch.setenv("RELEASE_BOARD_URL", url)

    result = invoke("init", "--yes", "--force")

    assert result.exit_code == 0, result.stderr
    told = " ".join(result.stderr.split())
    assert "and a token for the release board in RELEASE_BOARD_TOKEN." in told
    sources = tomllib.loads(Path("vpemetrics.toml").read_text())["sources"]
    assert sources["releases"] == {
        "type": "release-board",
        "url": url,
        "token": "env:RELEASE_BOARD_TOKEN",
    }
    assert len(statuses()) == 6
    assert TOKEN not in result.stderr + Path("vpemetrics.toml").read_text()


def test_the_readme_names_every_setting_and_installs_what_is_here(folder: Path) -> None:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    options = collector_of("release-board").options

    assert [name for name in options.__dataclass_fields__ if f"`{name}`" not in readme] == []
    assert "pip install ./collectors/release-board" in readme

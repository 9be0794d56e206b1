"""`vpemetrics init` as people use it: in a clone, a folder, with and without a token."""

import os
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commandline import invoke
from conversation import END, talked_to
from deploying_world import TOKEN, deploying_world
from github_server.faults import Faults, bad_credentials, only
from github_server.server import SimulatedGitHub
from github_server.tokens import Rights
from github_server.world import World
from gitrepository import GitRepository, new_repository


@pytest.fixture
def bare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory where no token is known and no `gh` is installed."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "GH_")):
            monkeypatch.delenv(name)
    programs = folder.parent / "bin"
    programs.mkdir()
    git = next(p for d in os.environ["PATH"].split(":") if (p := Path(d) / "git").exists())
    (programs / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("TZ", "Europe/Dublin")
    monkeypatch.setenv("COLUMNS", "80")
    return folder


@pytest.fixture
def world() -> World:
    return deploying_world()


@pytest.fixture
def github(bare: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedGitHub]:
    """GitHub, whose address and token the environment knows."""
    with SimulatedGitHub(world) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield server


def written() -> dict[str, Any]:
    return tomllib.loads(Path("vpemetrics.toml").read_text(encoding="utf-8"))


def clone_of(remote: str, name: str = "shop") -> GitRepository:
    """A clone in the working directory, with two versions of late, the last one a release."""
    repository = new_repository(Path(name))
    repository.git("remote", "add", "origin", remote)
    repository.at = datetime.now(UTC) - timedelta(days=20)
    repository.commit("Begin")
    repository.tag("v1.0")
    repository.commit("Improve it (#1)")
    repository.tag("v1.1")
    return repository


def test_an_owner_on_github_is_proposed_collected_and_reported(github: SimulatedGitHub) -> None:
    result = invoke("init", "acme/*", "--yes")

    assert result.exit_code == 0, result.stderr
    assert written() == {
        "organisation": {"name": "Acme", "timezone": "Europe/Dublin"},
        "production": {"environments": ["production"]},
        "sources": {
            "github": {
                "type": "github",
                "url": github.url,
                "token": "env:GITHUB_TOKEN",
                "repositories": ["acme/*"],
                "deployments": [
                    {"from": "environments", "repositories": ["acme/shop"]},
                    {
                        "from": "releases",
                        "environment": "production",
                        "repositories": ["acme/search"],
                    },
                ],
                "incidents": {"labels": ["incident"]},
            }
        },
        "service": [
            {"name": "finder", "team": "discovery", "repository": "acme/search"},
            {"name": "shop", "team": "payments", "repository": "acme/shop"},
        ],
    }
    assert result.stdout.startswith("Acme · ")
    assert "Coverage: 2/2 services" in result.stdout


@pytest.mark.usefixtures("github")
def test_environments_that_name_services_make_these_the_services(world: World) -> None:
    mall = world.repository("acme/mall")
    ada, at = world.account("ada"), datetime.now(UTC) - timedelta(days=9)
    tip = mall.commit("Begin", author=ada, at=at).oid
    for name in ("cart/production", "checkout/production", "cart/staging"):
        mall.say(mall.deploy(tip, name, at=at, by=ada), "SUCCESS", at=at)

    result = invoke("init", "acme/mall", "--yes")

    assert result.exit_code == 0, result.stderr
    assert "  production   2 deployments in 90 days\n" in result.stderr
    assert "warning: cart, checkout share acme/mall: give each its paths" in result.stderr
    to_fill_in = '# repository = "acme/mall"\n# paths = ["…/**"]   # its part of the repository\n'
    assert Path("vpemetrics.toml").read_text().count(to_fill_in) == 2
    assert written()["service"] == [{"name": "cart"}, {"name": "checkout"}]
    assert written()["production"]["environments"] == ["production"]
    assert "Coverage: 2/2 services" in result.stdout


def test_every_proposal_is_told_with_its_count(github: SimulatedGitHub) -> None:
    said = invoke("init", "acme/*", "--yes", "--no-collect").stderr

    assert "Found no git clone here, and a token for 127.0.0.1 in GITHUB_TOKEN." in said
    assert "  production   30 deployments in 90 days\n" in said
    assert "Which are production (names, none): production\n" in said
    assert "  label incident   3 issues in 90 days\n" in said
    assert "What was deployed in 90 days can be told by\n" in said
    assert "  3   releases                           3    in 1 repository\n" in said
    assert "Wrote vpemetrics.toml: 2 services of 2 teams; " in said
    assert "acme/old" not in said  # nothing was pushed there of late
    assert max(len(line) for line in said.splitlines()) <= 80
    text = Path("vpemetrics.toml").read_text(encoding="utf-8")
    assert "# acme/shop: environment `production`: 30 deployments in 90 days\n" in text
    assert not Path("vpemetrics.db").exists()


def test_the_cost_of_the_first_collection_is_told_before_it(github: SimulatedGitHub) -> None:
    said = invoke("init", "acme/shop", "--yes").stderr

    assert re.search(
        r"\ngithub: the first collection takes about \d+ requests, \d+ GraphQL points and 1\s+min\n"
        r"store: .*\ngithub: new ",
        said,
    )


@pytest.mark.slow
def test_a_clone_names_its_repository_on_github(
    github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = clone_of(github.url.replace("/api/v3", "/acme/shop.git"))
    monkeypatch.chdir(repository.path)

    result = invoke("init", "--yes")

    assert "Found a clone of acme/shop, and a token" in result.stderr
    assert written()["sources"]["github"]["repositories"] == ["acme/shop"]
    assert "Keep it out of git: echo 'vpemetrics.db*' >> .gitignore" in result.stderr


def test_of_a_folder_of_clones_those_from_elsewhere_are_read_by_git(
    github: SimulatedGitHub,
) -> None:
    clone_of(github.url.replace("/api/v3", "/acme/shop.git"))
    clone_of("git@gitlab.example.org:acme/mails.git", "mails")

    result = invoke("init", "--yes", "--no-collect")

    assert result.exit_code == 0, result.stderr
    sources = written()["sources"]
    assert sources["github"]["repositories"] == ["acme/shop"]
    assert sources["mails"] == {"type": "git", "path": "mails", "deployments": "tags"}
    assert [one["name"] for one in written()["service"]] == ["shop", "mails"]
    assert written()["production"]["environments"] == ["production"]


@pytest.mark.slow
def test_repositories_of_one_name_at_two_places_make_two_services(
    github: SimulatedGitHub,
) -> None:
    clone_of(github.url.replace("/api/v3", "/acme/shop.git"))
    clone_of("git@gitlab.example.org:other/shop.git", "elsewhere")

    result = invoke("init", "--yes")

    assert result.exit_code == 0, result.stderr
    assert [one["name"] for one in written()["service"]] == ["shop", "other/shop"]
    assert list(written()["sources"]) == ["github", "shop"]


def test_without_clone_or_name_what_the_token_sees_is_proposed(github: SimulatedGitHub) -> None:
    invoke("init", "--yes", "--no-collect")

    names = written()["sources"]["github"]["repositories"]
    assert sorted(names) == ["acme/docs", "acme/search", "acme/shop"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tags", "deployments"), [(("v1.0",), "tags"), ((), "commits"), (("nightly",), "commits")]
)
def test_without_a_token_git_alone_is_proposed(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tags: tuple[str, ...], deployments: str
) -> None:
    repository = new_repository(bare / "mails")
    repository.at = datetime.now(UTC) - timedelta(days=20)
    repository.commit("Begin")
    for tag in tags:
        repository.tag(tag)
    monkeypatch.chdir(repository.path)

    result = invoke("init", "--yes")

    assert result.exit_code == 0, result.stderr
    assert written()["sources"] == {
        "mails": {"type": "git", "path": ".", "deployments": deployments}
    }
    assert result.stdout.startswith("Engineering · ")


def test_a_clone_from_github_without_a_token_says_what_is_amiss(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone_of("git@github.com:acme/shop.git").path)

    said = invoke("init", "--yes", "--no-collect").stderr

    assert "Found a clone of acme/shop, and no token for GitHub." in said
    assert "Without a token for GitHub (GITHUB_TOKEN or `gh auth login`)" in said
    assert "1 service, whose teams nothing names; deployments to" in said
    assert written()["organisation"]["name"] == "Acme"


def test_the_configuration_may_lie_elsewhere(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone_of("git@gitlab.example.org:acme/shop.git")
    (bare / "settings").mkdir()

    result = invoke("init", "--yes", "--config", "settings/acme.toml")

    assert result.exit_code == 0, result.stderr
    source = tomllib.loads(Path("settings/acme.toml").read_text())["sources"]["shop"]
    assert source["path"] == "../shop"
    assert Path("settings/vpemetrics.db").exists()


def test_a_configuration_that_is_there_is_left_alone(bare: Path) -> None:
    clone_of("git@gitlab.example.org:acme/shop.git")
    Path("vpemetrics.toml").write_text("# mine\n")

    refused = invoke("init", "--yes", "--no-collect")
    before = Path("vpemetrics.toml").read_text()
    forced = invoke("init", "--yes", "--no-collect", "--force")

    assert refused.exit_code == 1
    assert refused.stderr == (
        "error: vpemetrics.toml is there already; with --force it is replaced\n"
    )
    assert before == "# mine\n"
    assert forced.exit_code == 0
    assert "shop" in written()["sources"]


def test_without_a_terminal_it_says_that_it_cannot_ask(bare: Path) -> None:
    result = invoke("init")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: there is no terminal to ask on\n")
    assert not Path("vpemetrics.toml").exists()


def test_where_there_is_nothing_it_says_where_to_go(bare: Path) -> None:
    result = invoke("init", "--yes")

    assert result.exit_code == 1
    assert "no git clone in this folder, and no token" in result.stderr


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("acme", 2, "'acme' is not like"),
        ("acme/nothing", 1, "none of acme/nothing can be looked at"),
        ("nobody/*", 1, "nobody: GitHub has no user or organisation of this name"),
    ],
)
def test_repositories_that_are_none_are_told(
    github: SimulatedGitHub, name: str, code: int, said: str
) -> None:
    result = invoke("init", name, "--yes")

    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert not Path("vpemetrics.toml").exists()


def test_repositories_without_a_token_are_told_how_to_give_one(bare: Path) -> None:
    result = invoke("init", "acme/shop", "--yes")

    assert result.exit_code == 1
    assert "set GITHUB_TOKEN, or log in with `gh auth login`" in result.stderr


def test_the_login_of_gh_will_do(github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    gh = Path(os.environ["PATH"]) / "gh"
    gh.write_text(f"#!/bin/sh\necho {TOKEN}\n")
    gh.chmod(0o755)

    result = invoke("init", "acme/shop", "--yes", "--no-collect")

    assert "a token for 127.0.0.1 in the login of gh." in result.stderr
    assert written()["sources"]["github"]["token"] == "gh"


def test_a_repository_that_may_not_be_read_keeps_no_other_from_being_proposed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with SimulatedGitHub(deploying_world()) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        result = invoke("init", "acme/gone,acme/shop", "--yes", "--no-collect")

    assert result.exit_code == 0
    assert "warning: acme/gone: Could not resolve" in result.stderr


@pytest.mark.parametrize("when", ["taken", "refused", "lost"])
def test_the_token_is_nowhere_to_be_read(
    bare: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    rights = Rights(tokens=["another"]) if when == "refused" else Rights()
    lost = only(bad_credentials, path="/deployments")
    faults = Faults(always=(lost,)) if when == "lost" else Faults()
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with SimulatedGitHub(deploying_world(), rights=rights, faults=faults) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        results = [invoke("init", "acme/*", "--yes", "-v"), invoke("check", "-v")]

    assert results[0].exit_code == (0 if when == "taken" else 1)
    kept = [path for path in bare.parent.rglob("*") if path.is_file()]
    assert [path for path in kept if TOKEN.encode() in path.read_bytes()] == []
    assert [one for one in results if TOKEN in one.stdout + one.stderr] == []
    assert ("does not accept the token" in results[0].stderr) == (when != "taken")


ANSWERS = ["acme/*", "everywhere", "prod*", "9", "1", "none", "y"]
"""Two of them are none, and asked for again."""


@pytest.mark.slow
def test_a_person_is_asked_at_most_five_things(github: SimulatedGitHub) -> None:
    said, questions = talked_to("init", *ANSWERS)

    assert len(set(questions)) == 5
    assert "Error: expected some of these environments" in said
    assert "Error: expected a number from 1 to 5" in said
    assert written()["production"]["environments"] == ["prod*"]
    assert "incidents" not in written()["sources"]["github"]
    assert "Acme · " in said


@pytest.mark.slow
def test_enter_takes_what_is_proposed(github: SimulatedGitHub) -> None:
    talked_to("init", *[""] * 5)
    by_hand = Path("vpemetrics.toml").read_text()

    invoke("init", "--yes", "--no-collect", "--force")

    assert Path("vpemetrics.toml").read_text() == by_hand


@pytest.mark.slow
def test_whoever_gives_no_answer_leaves_nothing_behind(github: SimulatedGitHub) -> None:
    said, _ = talked_to("init", "acme/shop", END, ends_with=130)

    assert "error: interrupted; nothing was saved by halves" in said
    assert not Path("vpemetrics.toml").exists()

"""A git clone without any configuration: it is the source, and commands just work in it."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commandline import invoke
from gitrepository import GitRepository, copy_of

FETCHED = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def origin(tmp_path: Path) -> GitRepository:
    """Four releases on the first four days of March, a squashed pull request in each."""
    return copy_of(four_releases, tmp_path / "acme" / "shop.git-origin")


def four_releases(repository: GitRepository) -> None:
    for number in range(1, 5):
        repository.at = datetime(2026, 3, number, 9, tzinfo=UTC)
        repository.commit(f"Improve it (#{number})")
        repository.tag(f"v1.{number}")


@pytest.fixture
def clone(folder: Path, origin: GitRepository, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone fetched at the end of March, which is the working directory."""
    path = folder / "shop"
    subprocess.run(["git", "clone", "-q", origin.path, path], check=True)
    fetch(path)
    monkeypatch.chdir(path)
    return path


def fetch(path: Path) -> None:
    """Fetches from where a clone came from, at a moment of the tests' own."""
    subprocess.run(["git", "-C", path, "fetch", "-q", "--tags"], check=True)
    subprocess.run(["git", "-C", path, "remote", "set-head", "origin", "-a"], check=True)
    for file in ("FETCH_HEAD", "refs/remotes/origin/HEAD"):
        for git_dir in (path / ".git", path):
            if (git_dir / file).exists():
                os.utime(git_dir / file, (FETCHED.timestamp(),) * 2)


def test_a_report_reads_the_clone_and_says_what_it_assumed(clone: Path) -> None:
    result = invoke("report", "--month", "2026-03")

    assert result.exit_code == 0
    assert result.stdout.startswith("shop.git-origin · 2026-03 ")
    assert "Deployments            4" in result.stdout
    store, *assumed, warning, age = result.stderr.splitlines()
    assert store == f"store: {clone}/.git/vpemetrics/vpemetrics.db (the cache of this clone)"
    assert len(assumed) == 4
    assert "version tags are taken for deployments" in assumed[0]
    assert "no incidents, so there is no fail rate" in assumed[2]
    assert "`vpemetrics init`" in assumed[3]
    assert max(map(len, assumed)) < 80
    assert warning.startswith("warning: git: the original commits of 4 of 4")
    assert age.startswith("the newest data is ")
    assert subprocess.check_output(["git", "status", "--porcelain"]) == b""


def test_the_default_week_is_the_last_one_before_the_fetch(clone: Path) -> None:
    said = invoke("report").stdout

    assert "2026-W13 (23–29 Mar, UTC)" in said.partition("\n")[0]
    assert "No deployment in 2026-W13; the last was v1.4 on 4 Mar 2026, 2 weeks earlier." in said


@pytest.mark.slow
@pytest.mark.usefixtures("clone")
def test_the_first_report_of_init_says_how_to_fetch_original_commits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    said = invoke("init", "--yes").stdout

    assert "→ fetch them into the clone; the next collection reads them" in said


@pytest.mark.slow
def test_the_next_report_holds_what_was_fetched_meanwhile(
    clone: Path, origin: GitRepository
) -> None:
    invoke("report")
    origin.commit("One more (#5)")
    origin.tag("v1.5")
    fetch(clone)

    result = invoke("collect")

    assert "git: new commits 1, pull requests 1, deployments 1 (" in result.stderr
    assert "Deployments            5" in invoke("report", "--month", "2026-03").stdout
    assert "git: nothing new (" in invoke("collect").stderr


@pytest.mark.slow
@pytest.mark.parametrize("inside", ["src/deep", ".git", ".git/refs"])
def test_it_works_from_any_folder_of_the_clone(
    clone: Path, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(clone / inside)

    assert "shop.git-origin · " in invoke("report").stdout
    assert (clone / ".git" / "vpemetrics" / "vpemetrics.db").exists()


def test_it_works_in_a_bare_mirror(
    folder: Path, origin: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "clone", "-q", "--mirror", origin.path, "shop.git"], check=True)
    monkeypatch.chdir(folder / "shop.git")

    assert "Deployments            4" in invoke("report", "--month", "2026-03").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status",), "deployments    4\n"),
        (("explain", "v1.2"), "v1.2"),
        (("explain", "deployments", "--month", "2026-03"), "shop.git-origin"),
        (("triage", "list"), ""),
    ],
)
def test_other_commands_read_the_clone_first_too(
    clone: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 0
    assert said in result.stdout


def test_the_command_that_brings_the_original_commits_is_printed(clone: Path) -> None:
    problems = json.loads(invoke("report", "--month", "2026-03", "--json").stdout)["problems"]

    (found,) = (problem for problem in problems if problem["reason"] == "starts_at_merge")
    assert found["count"] == 3
    assert found["command"].startswith(f"git -C {clone} fetch origin ")


@pytest.mark.slow
def test_a_configuration_turns_it_off(clone: Path) -> None:
    Path("vpemetrics.toml").write_text('[sources.shop]\ntype = "git"\n')

    before = invoke("report", "-q")
    invoke("collect")
    after = invoke("report", "--month", "2026-03")

    assert before.exit_code == 1
    assert "with `vpemetrics collect`" in before.stderr
    assert after.stdout.startswith("Engineering · 2026-03 ")
    assert "Deployments            4" in after.stdout
    assert "version tags" not in after.stderr


@pytest.mark.slow
def test_a_configuration_above_says_that_it_is_none_of_the_clones(
    folder: Path, clone: Path, traced: Path
) -> None:
    above = folder / "vpemetrics.toml"
    above.write_text('[organisation]\nname = "Somebody else"\n')

    nothing = invoke("report")
    shutil.copy(traced, folder / "vpemetrics.db")
    others = invoke("report")

    assert nothing.exit_code == 1
    assert (
        f"with `vpemetrics import FOLDER`; {above} is of a folder above this clone,\n"
        "       `vpemetrics init` writes one for this clone alone; docs/quickstart.md"
    ) in nothing.stderr
    assert others.stdout.startswith("Somebody else · ")
    assert (
        "nothing of this clone is in it: that vpemetrics.toml is of a folder above;\n"
        "`vpemetrics init` writes one for this clone alone\n"
    ) in others.stderr


@pytest.mark.slow
def test_a_configuration_above_that_collects_the_clone_needs_no_word(
    folder: Path, clone: Path
) -> None:
    (folder / "vpemetrics.toml").write_text('[sources.shop]\ntype = "git"\npath = "shop"\n')

    invoke("collect")
    result = invoke("report", "--month", "2026-03")

    assert "Deployments            4" in result.stdout
    assert "folder above" not in result.stderr


@pytest.mark.slow
def test_a_store_that_is_named_is_read_as_it_is(clone: Path, store: Path) -> None:
    result = invoke("report", "--store", store, "-q")

    assert "4/4 services" in result.stdout
    assert "shop.git-origin" not in result.stdout


@pytest.mark.slow
def test_a_named_organisation_keeps_its_name(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPEMETRICS_ORGANISATION_NAME", "Acme")

    assert invoke("report").stdout.startswith("Acme · ")


@pytest.mark.slow
def test_what_was_read_earlier_is_reported_where_git_is_gone(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("report")
    monkeypatch.setenv("PATH", str(clone))

    result = invoke("report", "--month", "2026-03")

    assert result.exit_code == 0
    assert "Deployments            4" in result.stdout
    assert "warning: this clone could not be read again: " in result.stderr


def test_without_git_the_first_report_is_an_error(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(clone))

    result = invoke("report", "-q")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "git" in result.stderr


def test_a_clone_that_cannot_be_written_to_is_read_into_a_store_elsewhere(clone: Path) -> None:
    (clone / ".git" / "vpemetrics").write_text("a file where the store's folder would be")

    refused = invoke("report", "-q")
    invoke("collect", "--store", "../shop.db")
    result = invoke("report", "--store", "../shop.db", "--month", "2026-03")

    assert refused.exit_code == 1
    assert "so this clone cannot keep a store\n" in refused.stderr
    assert "`vpemetrics collect --store PATH`" in refused.stderr
    assert "Deployments            4" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", ["explain lead-time", "status"])
def test_what_a_report_says_at_length_other_commands_say_in_a_line(
    clone: Path, command: str
) -> None:
    invoke("report")

    _store, *assumed = invoke(*command.split()).stderr.splitlines()

    assert assumed == ["there is no vpemetrics.toml, so version tags are taken for deployments"]


@pytest.mark.slow
def test_in_a_clone_the_figure_explained_is_the_one_reported(clone: Path) -> None:
    printed = json.loads(invoke("report", "--json").stdout)
    explained = json.loads(invoke("explain", "lead-time", "--json").stdout)

    assert explained["figure"] in printed["figures"]
    assert explained["figure"]["window"] == printed["headline"]
    assert explained["figure"]["n"] > 0


def test_quiet_is_silent_about_what_was_assumed(clone: Path) -> None:
    invoke("collect", "-q")

    assert invoke("report", "-q").stderr == ""


@pytest.mark.slow
def test_commits_go_by_the_names_that_git_has_for_them(clone: Path) -> None:
    tip = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()

    told = {name: invoke("explain", name).stdout for name in (tip, "HEAD", "main", "v1.4~1")}

    assert told["HEAD"] == told["main"] == told[tip]
    assert told["HEAD"].startswith("Commit ")
    assert told["v1.4~1"].startswith("Commit ")
    assert told["v1.4~1"] != told["HEAD"]


@pytest.mark.slow
def test_a_version_is_found_without_its_v(clone: Path) -> None:
    assert invoke("explain", "1.3").stdout == invoke("explain", "v1.3").stdout != ""


def test_a_commit_that_was_not_collected_is_said_to_be_one(clone: Path) -> None:
    new = ("-c", "user.name=a", "-c", "user.email=a", "commit", "-q", "--allow-empty", "-m", "x")
    subprocess.run(["git", "checkout", "-q", "-b", "side"], check=True)
    subprocess.run(["git", *new], check=True)

    result = invoke("explain", "side")

    assert result.exit_code == 1
    assert "side is commit " in result.stderr
    assert "not collected" in result.stderr


def test_an_option_of_git_is_no_name(clone: Path) -> None:
    assert "nothing is known under '--all'" in invoke("explain", "--", "--all").stderr

"""Repositories that want to run something, or to look like another history: git is not asked."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from commandline import invoke, spawn
from gitrepository import GitRepository, copy_of

pytestmark = pytest.mark.slow

CANARY = "canary-0123456789abcdef"
MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")


@pytest.fixture
def loot(tmp_path: Path) -> Path:
    """The file that a repository's command would write the environment into."""
    return tmp_path / "loot"


@pytest.fixture
def thief(tmp_path: Path, loot: Path) -> Path:
    """The command that a repository wants to be run."""
    script = tmp_path / "thief"
    script.write_text(f"#!/bin/sh\nenv >> '{loot}'\ncat >/dev/null\n", encoding="utf-8")
    script.chmod(0o755)
    return script


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A repository with releases, and a secret in the environment of who reads it."""
    monkeypatch.setenv("GITHUB_TOKEN", CANARY)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return copy_of(_release_thrice, tmp_path / "shop")


def _release_thrice(shop: GitRepository) -> None:
    for number in range(1, 4):
        shop.commit(f"Change {number} (#{number})")
        shop.tag(f"v1.{number}.0")


RUNNING = {
    "core.fsmonitor": "{thief}",
    "core.pager": "{thief}",
    "core.editor": "{thief}",
    "core.askPass": "{thief}",
    "core.sshCommand": "{thief}",
    "core.gitProxy": "{thief}",
    "credential.helper": "!{thief}",
    "diff.external": "{thief}",
    "diff.x.textconv": "{thief}",
    "diff.x.command": "{thief}",
    "filter.x.smudge": "{thief}",
    "filter.x.clean": "{thief}",
    "gpg.program": "{thief}",
    "log.showSignature": "true",
    "pager.log": "{thief}",
    "pager.show": "{thief}",
    "alias.log": "!{thief}",
    "remote.origin.url": "ext::{thief}",
    "remote.origin.uploadpack": "{thief}",
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "blob:none",
    "extensions.partialClone": "origin",
    "core.repositoryformatversion": "1",
    "protocol.ext.allow": "always",
    "uploadpack.packObjectsHook": "{thief}",
}
"""Settings that run a command: https://git-scm.com/docs/git-config."""


def arm(repository: Path, thief: Path, names: Iterable[str] = RUNNING) -> None:
    """Let a repository want the command run, in every way there is or in some."""
    git = repository / ".git" if (repository / ".git").is_dir() else repository
    for name in names:
        value = RUNNING[name].format(thief=thief)
        set_up = ["git", "config", f"--file={git / 'config'}", name, value]
        subprocess.run(set_up, cwd=thief.parent, check=True)
    hooks = git / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("fsmonitor-watchman", "post-index-change", "reference-transaction", "pre-auto-gc"):
        shutil.copy(thief, hooks / name)
    (git / "info").mkdir(exist_ok=True)
    (git / "info" / "attributes").write_text("* diff=x filter=x\n")
    (git / "config.worktree").write_text(f"[core]\n\tfsmonitor = {thief}\n")


FEW = ("core.fsmonitor",)
"""What a command that reads the index runs, though the repository is sound in all else."""

SETTINGS = """
[sources.git]
type = "git"
path = "{path}"

[[service]]
name = "shop"
repository = "shop"
paths = ["*"]
"""
"""A source whose commits are asked for their paths."""

COMMANDS = (("report",), ("collect",), ("check",), ("status",), ("explain", "HEAD"))


@pytest.mark.parametrize("names", [RUNNING, FEW], ids=["all", "few"])
@pytest.mark.parametrize("settings", ["", SETTINGS], ids=["bare", "configured"])
def test_a_clone_runs_nothing(
    shop: GitRepository,
    thief: Path,
    loot: Path,
    settings: str,
    names: Iterable[str],
) -> None:
    if settings:
        (shop.path / "vpemetrics.toml").write_text(settings.format(path="."), encoding="utf-8")
    (shop.path / ".gitattributes").write_text("* diff=x filter=x\n")
    shop.commit("Add attributes (#9)")
    arm(shop.path, thief, names)
    os.chdir(shop.path)

    for command in COMMANDS:
        invoke(*command)

        assert not loot.exists(), command


@pytest.mark.parametrize("names", [RUNNING, FEW], ids=["all", "few"])
def test_a_bare_repository_in_a_clone_runs_nothing(
    shop: GitRepository, thief: Path, loot: Path, tmp_path: Path, names: Iterable[str]
) -> None:
    cloned = tmp_path / "cloned"
    cloned.mkdir()
    inner = cloned / "data"
    # It looks like a bare one, has an index, and says that the folder around it is its work tree.
    cloning = ("clone", "-q", "--separate-git-dir", str(inner))
    shop.git(*cloning, str(shop.path), str(tmp_path / "tree"))
    arm(inner, thief, names)
    subprocess.run(
        ["git", "config", f"--file={inner / 'config'}", "core.worktree", ".."], check=True
    )
    (cloned / "vpemetrics.toml").write_text(SETTINGS.format(path="data"), encoding="utf-8")
    os.chdir(cloned)

    done = spawn("collect")

    assert not loot.exists()
    assert done.returncode == 0
    assert "deployments 3" in done.stderr


def graft(shop: GitRepository) -> None:
    (shop.path / ".git" / "info").mkdir(exist_ok=True)
    oldest = shop.git("rev-list", "--max-parents=0", "HEAD").strip()
    grafts = shop.path / ".git" / "info" / "grafts"
    grafts.write_text(f"{oldest} {shop.head()}\n", encoding="ascii")


def replace(shop: GitRepository) -> None:
    shop.git("replace", "--graft", "HEAD~2", "HEAD")


@pytest.mark.parametrize("rewrite", [graft, replace], ids=["graft", "replace"])
def test_history_is_the_one_that_was_written(
    shop: GitRepository, tmp_path: Path, rewrite: Callable[[GitRepository], None]
) -> None:
    other = tmp_path / "elsewhere" / "shop"
    shutil.copytree(shop.path, other)
    rewrite(GitRepository(path=other))
    os.chdir(shop.path)
    expected = json.loads(spawn("report", "--json", *MARCH).stdout)
    os.chdir(other)

    done = spawn("report", "--json", *MARCH)

    assert done.returncode == 0
    assert any(figure["n"] for figure in expected["figures"])
    assert json.loads(done.stdout)["figures"] == expected["figures"]


def test_git_gets_no_secret(
    shop: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f"#!/bin/sh\nenv >> '{seen}'\necho \"$@\" >> '{seen}'\nexec {shutil.which('git')} \"$@\"\n",
        encoding="utf-8",
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    os.chdir(shop.path)

    assert spawn("report").returncode == 0

    text = seen.read_text()
    assert "PATH=" in text
    assert CANARY not in text
    assert "GITHUB_TOKEN" not in text

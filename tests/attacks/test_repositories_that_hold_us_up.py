"""Repositories with files that never end, and with names that take apart what they stand in."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import process_time

import pytest
from commandline import invoke
from gitrepository import GitRepository, collected, new_repository

from vpemetrics.collectors.git.clone import look_at
from vpemetrics.collectors.git.commands import Git, GitFailed
from vpemetrics.collectors.git.log import read_log
from vpemetrics.config.stores import find_git_dir
from vpemetrics.errors import FixConfiguration
from vpemetrics.version_tags import is_release, service_of

pytestmark = pytest.mark.slow

TERABYTE = 1 << 40
ODD_NAMES = ["a\u2028b", "a\u0085b", "a\u2029v1.0", "\ufeff", "a\u202eb"]


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    shop = new_repository(tmp_path / "shop")
    shop.commit("Begin (#1)")
    shop.tag("v1.0.0")
    return shop


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_branch_or_tag_may_have_any_name(shop: GitRepository, name: str) -> None:
    shop.git("branch", name)
    shop.git("tag", name)
    shop.git("update-ref", f"refs/remotes/origin/{name}", "HEAD")

    assert collected(shop.path).deployments.keys() == {"v1.0.0"}


@pytest.mark.parametrize("name", [*ODD_NAMES, "a b'\"$(x)", "-x"])
def test_a_repository_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    shop = new_repository(tmp_path / name)
    shop.commit("Begin (#1)")

    assert collected(shop.path).changes.keys() == {1}


@pytest.mark.skipif(sys.platform == "darwin", reason="its names are UTF-8")
def test_a_repository_may_lie_in_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    shop = new_repository(tmp_path / os.fsdecode(b"\xff\xfe"))
    shop.commit("Begin (#1)")

    assert collected(shop.path).changes.keys() == {1}


def test_a_line_break_in_the_path_of_a_repository_is_said(tmp_path: Path) -> None:
    shop = new_repository(tmp_path / "a\nb")
    shop.commit("Begin (#1)")

    with pytest.raises(FixConfiguration, match="has a line break in its name; rename it"):
        collected(shop.path)


def ref_pipe(git: Path, tip: str) -> None:
    os.mkfifo(git / "refs" / "heads" / "x")


def object_pipe(git: Path, tip: str) -> None:
    place = git / "objects" / tip[:2] / tip[2:]
    place.unlink()
    os.mkfifo(place)


def alternates_pipe(git: Path, tip: str) -> None:
    (git / "objects" / "info").mkdir(exist_ok=True)
    os.mkfifo(git / "objects" / "info" / "alternates")


def settings_pipe(git: Path, tip: str) -> None:
    (git / "config").unlink()
    os.mkfifo(git / "config")


def included_pipe(git: Path, tip: str) -> None:
    os.mkfifo(git / "more")
    with (git / "config").open("a", encoding="utf-8") as file:
        file.write("[include]\n\tpath = more\n")


@pytest.mark.parametrize(
    "lay", [ref_pipe, object_pipe, alternates_pipe, settings_pipe, included_pipe]
)
def test_git_is_not_waited_for_to_the_end_of_time(
    shop: GitRepository, lay: Callable[[Path, str], None]
) -> None:
    lay(shop.path / ".git", shop.head())
    git = Git(path=shop.path, patience=timedelta(seconds=1))

    with pytest.raises(GitFailed, match=r"git said nothing about .*shop for 0:00:01, and was"):
        look_at(git)


def endless(path: Path, beginning: bytes) -> None:
    """A file of a terabyte, of which next to nothing lies on the disk."""
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(TERABYTE)


def test_an_endless_head_is_read_as_far_as_git_reads_it(shop: GitRepository) -> None:
    endless(shop.path / ".git" / "HEAD", b"ref: refs/heads/main\n")

    assert collected(shop.path).changes.keys() == {1}


def test_an_endless_file_that_points_to_a_repository_points_nowhere(tmp_path: Path) -> None:
    endless(tmp_path / ".git", b"gitdir: elsewhere")

    assert find_git_dir(tmp_path / "below") != tmp_path / "elsewhere"


@pytest.mark.parametrize("lay", [os.mkfifo, Path.mkdir, lambda at: at.symlink_to("/dev/zero")])
def test_what_is_no_file_says_nothing_of_the_last_fetch(
    shop: GitRepository, lay: Callable[[Path], None]
) -> None:
    shop.git("remote", "add", "origin", "https://example.com/acme/shop")
    lay(shop.path / ".git" / "FETCH_HEAD")

    assert collected(shop.path).changes.keys() == {1}


def test_the_rest_of_a_message_that_fills_memory_is_left_out(shop: GitRepository) -> None:
    sha = shop.commit("Add (#2)\n\n" + "x" * (8 << 20))
    after = shop.commit("Add (#3)")

    newer, older, _ = read_log(Git(path=shop.path), [after])

    assert (newer.sha, newer.message) == (after, "Add (#3)")
    assert older.sha == sha
    assert 1 << 20 <= len(older.message) < 2 << 20
    assert collected(shop.path).changes.keys() == {1, 2, 3}


@pytest.mark.parametrize(
    "name",
    [
        "v1" + "-p-1" * 60 + "-xyz",
        "a-" * 40_000,
        "a" + "-1" * 120 + "x",
        "a" + ".1" * 120 + "-!",
        "1" + "_1.1-p-1" * 28 + "!",
        "a@" * 100_000 + "1-x",
    ],
)
def test_no_name_of_a_tag_takes_long(name: str) -> None:
    begun = process_time()

    assert not is_release(name)
    service_of(name, "shop")

    assert process_time() - begun < 5  # they took longer than anybody waits


@pytest.mark.parametrize(
    "remote", ["x; touch pwned", "$(touch pwned)", "--upload-pack=touch pwned"]
)
def test_no_command_to_copy_has_more_in_it_than_it_seems(
    shop: GitRepository, monkeypatch: pytest.MonkeyPatch, remote: str
) -> None:
    with (shop.path / ".git" / "config").open("a", encoding="utf-8") as file:
        file.write(f'[remote "{remote}"]\n\turl = https://github.com/acme/shop\n')
    monkeypatch.chdir(shop.path)

    collected_ = invoke("collect")
    checked = invoke("check")

    assert collected_.exit_code == 0
    assert "touch" not in collected_.output + checked.output
    assert "git -C" not in collected_.output + checked.output

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from gitrepository import BEGIN, NOW, GitRepository, collected, copy_of, new_repository
from subprocesses import PATIENCE

from vpemetrics.collectors.git.clone import look_at
from vpemetrics.collectors.git.collect import MissingOriginals, missing_originals
from vpemetrics.collectors.git.commands import Git, GitFailed, environment
from vpemetrics.collectors.git.remotes import Remote, parse_remote
from vpemetrics.errors import FixConfiguration
from vpemetrics.records import Coverage, Repository
from vpemetrics.rules import Rules, Service


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    """A repository with one commit, tagged."""
    return copy_of(one_release, tmp_path / "shop")


def one_release(repository: GitRepository) -> None:
    repository.commit("Begin")
    repository.tag("v1.0")


def clone(shop: GitRepository, name: str, *options: str) -> GitRepository:
    """A clone beside a repository, as over a network."""
    path = shop.path.parent / name
    shop.git("clone", "-q", *options, f"file://{shop.path}", str(path))
    return GitRepository(path, at=shop.at, made=100)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://github.com/acme/shop.git", "github.com", "acme/shop"),
        ("https://github.com/acme/shop/", "github.com", "acme/shop"),
        ("https://ada:secret@github.com/acme/shop", "github.com", "acme/shop"),
        ("git@github.com:acme/shop.git", "github.com", "acme/shop"),
        ("ssh://git@git.example.org:7999/scm/acme/shop.git", "git.example.org", "acme/shop"),
        ("https://gitlab.example.org/acme/deep/shop.git", "gitlab.example.org", "acme/deep/shop"),
        ("GitHub.com:acme/shop", "github.com", "acme/shop"),
        ("../elsewhere/shop.git", None, "shop"),
        ("/srv/git/shop.git", None, "shop"),
        ("/home/ada/shop/.git", None, "shop"),
        ("file:///srv/git/shop", None, "shop"),
        ("C:\\git\\shop", None, "C:\\git\\shop"),
    ],
)
def test_a_repository_is_named_by_its_remote(url: str, host: str | None, path: str) -> None:
    assert parse_remote("origin", url) == Remote(name="origin", host=host, path=path)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("gh:acme/shop", "github.com", "acme/shop"),  # insteadOf of the person's
        ("short/shop", "git.example.org", "acme/shop"),
        ("work:acme/shop", "github.com", "acme/shop"),  # an alias in their settings of ssh
        ("ssh://git@work:22/acme/shop.git", "github.com", "acme/shop"),
        ("other:acme/shop", "other", "acme/shop"),
        ("own:acme/shop", "own", "acme/shop"),  # what the clone itself says counts for nothing
        ("ssh://-oProxyCommand=x/acme/shop", "-oproxycommand=x", "acme/shop"),
        ("work$(x):acme/shop", "work$(x)", "acme/shop"),
    ],
)
def test_a_remote_is_where_the_person_s_settings_lead(
    url: str, host: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = new_repository(tmp_path / "shop")
    repository.git("remote", "add", "origin", url)
    repository.git("config", "url.git@github.com:.insteadOf", "own:")
    shorter = {"git@github.com:": "gh:", "https://git.example.org/acme/": "short/"}
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(shorter)))
    for at, (whole, short) in enumerate(shorter.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{at}", f"url.{whole}.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{at}", short)
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\necho "$@" >"$0.asked"\ntest "$2" = work && echo hostname GitHub.com')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=os.pathsep)

    remote = look_at(Git(path=repository.path)).remote

    assert remote == Remote(name="origin", host=host, path=path)
    asked = ssh.with_name("ssh.asked")
    assert not asked.exists() or asked.read_text().split()[1] in ("work", "other", "own")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("github.com", "https://github.com/acme/shop/pull/7"),
        ("github.example.org", "https://github.example.org/acme/shop/pull/7"),
        ("bitbucket.org", "https://bitbucket.org/acme/shop/pull-requests/7"),
        ("git.example.org", None),
        (None, None),
    ],
)
def test_pull_requests_have_addresses_where_the_host_is_known(
    host: str | None, url: str | None
) -> None:
    assert Remote(name="origin", host=host, path="acme/shop").change_url(7) == url


def test_the_default_branch_is_the_remotes(shop: GitRepository) -> None:
    mine = clone(shop, "mine")
    mine.branch("cart")
    unmerged = mine.commit()

    found = collected(mine.path)
    assert [one.default_branch for one in found.of(Repository)] == ["main"]
    assert unmerged not in found.commits


def test_without_a_remote_the_folder_names_the_repository(shop: GitRepository) -> None:
    inside = shop.path / "deep"
    inside.mkdir()

    assert collected(inside, repository=None).of(Repository)[0].name == "shop"


def test_a_renamed_default_branch_is_found(shop: GitRepository) -> None:
    mine = clone(shop, "mine")
    shop.git("branch", "-m", "main", "trunk")
    shop.commit()
    mine.git("fetch", "-q", "--prune")
    mine.git("symbolic-ref", "HEAD", "refs/heads/gone")

    newest = shop.head()
    assert collected(mine.path, branch="trunk").commits.keys() >= {newest}
    assert collected(mine.path).of(Repository)[0].default_branch == "trunk"


def test_a_branch_that_is_not_there_is_an_error(shop: GitRepository) -> None:
    with pytest.raises(FixConfiguration, match="has no branch nowhere"):
        collected(shop.path, branch="nowhere")


def test_a_detached_head_is_read(shop: GitRepository) -> None:
    sha = shop.commit()
    shop.git("update-ref", "--no-deref", "HEAD", sha)
    shop.git("checkout", "-q", "--detach")
    found = collected(shop.path)

    assert sha in found.commits
    assert found.of(Repository)[0].default_branch is None


def test_two_roots_are_read(shop: GitRepository) -> None:
    tree = shop.git("write-tree")
    root = shop.git("commit-tree", tree, given="Another beginning")
    shop.merge(root, "Merge another project")

    assert collected(shop.path).commits[root].parents == ()


def test_a_bare_mirror_is_read(shop: GitRepository) -> None:
    mirror = clone(shop, "mirror.git", "--mirror")
    found = collected(mirror.path)

    assert list(found.deployments) == ["v1.0"]
    assert found.commits.keys() == {shop.head()}


def test_a_worktree_is_its_repository(shop: GitRepository) -> None:
    shop.git("worktree", "add", "-q", "../other", "-b", "other")

    found = collected(shop.path.parent / "other", repository=None)
    assert list(found.deployments) == ["v1.0"]
    assert found.of(Repository)[0].name == "shop"


def test_a_submodule_is_a_repository_of_its_own(shop: GitRepository, tmp_path: Path) -> None:
    outer = new_repository(tmp_path / "outer")
    outer.commit()
    allowed = ("-c", "protocol.file.allow=always")
    outer.git(*allowed, "submodule", "--quiet", "add", f"file://{shop.path}", "inner")
    outer.commit("Take shop in")

    assert collected(outer.path / "inner").commits.keys() == {shop.head()}
    assert shop.head() not in collected(outer.path).commits


def test_a_shallow_clone_is_read_and_said_to_be_cut(shop: GitRepository) -> None:
    shop.commit()
    newest = shop.commit()
    shop.tag("v1.1")
    mine = clone(shop, "mine", "--depth", "2")
    found = collected(mine.path)

    assert found.commits.keys() == {newest, found.commits[newest].parents[0]}
    cut = found.commits[found.commits[newest].parents[0]]
    assert cut.parents == (shop.git("rev-parse", "main~2"),)  # it is no first commit
    assert found.warnings[0].startswith(f"{mine.path} is a shallow clone: its history is cut")
    assert found.warnings[0].endswith(f"git -C {mine.path} fetch --unshallow")
    begin = found.coverage["deployments", "acme/shop"][0]
    assert begin == found.commits[found.commits[newest].parents[0]].committed_at

    mine.git("fetch", "-q", "--unshallow")
    assert len(found.again().commits) == 3
    assert found.warnings == []


def test_a_squash_whose_head_reaches_the_cut_has_no_known_originals(shop: GitRepository) -> None:
    shop.branch("pull-12")
    shop.commit("One")
    shop.git("update-ref", "refs/pull/12/head", "HEAD")
    shop.switch("main")
    shop.commit("Directly")
    shop.commit("Mend (#12)")
    mine = clone(shop, "mine", "--depth", "1")
    mine.git("fetch", "-q", "--depth", "1", "origin", "+refs/pull/*/head:refs/pull/*/head")

    assert collected(mine.path).changes[12].commit_shas == ()


def test_what_keeps_figures_from_being_right_is_said_every_time(shop: GitRepository) -> None:
    shop.commit("After the tag")
    found = collected(clone(shop, "mine", "--depth", "1").path)
    first = found.warnings
    found.again()

    assert found.new == []
    assert found.warnings == first
    assert len(first) == 2


def test_patterns_that_fit_no_tag_are_said(shop: GitRepository) -> None:
    [line] = collected(shop.path, tags=["deployed-*"]).warnings
    assert "none of its 1 tags, such as v1.0, fits `tags`;" in line


def test_tags_that_are_all_too_old_are_said(shop: GitRepository) -> None:
    [line] = collected(shop.path, since=date(2100, 1, 1)).warnings
    assert "none of its tags was made since 2100-01-01, which is its `since`" in line


def test_a_partial_clone_says_what_brings_the_rest(shop: GitRepository) -> None:
    rules = Rules(services=(Service(name="shop", repository="acme/shop", paths=("file1",)),))
    shop.git("config", "uploadpack.allowFilter", "true")
    partial = clone(shop, "it's partial", "--no-checkout", "--filter=tree:0")

    with pytest.raises(GitFailed, match="is a partial clone") as failed:
        collected(partial.path, rules)
    subprocess.run(str(failed.value).split("with: ")[1], shell=True, check=True, timeout=PATIENCE)

    assert collected(partial.path, rules).commits[shop.head()].paths == ("file1",)


def test_a_path_is_named_without_detours(shop: GitRepository) -> None:
    empty = new_repository(shop.path.parent / "empty")

    [line] = collected(shop.path / ".." / "empty").warnings
    assert line == f"{empty.path} has no commits yet"


def test_an_empty_repository_is_said_to_be_empty(tmp_path: Path) -> None:
    empty = new_repository(tmp_path / "empty")
    found = collected(empty.path)

    assert (found.new, found.cursors) == ([], {})
    assert found.warnings == [f"{empty.path} has no commits yet"]


@pytest.mark.parametrize(
    ("tags", "why"),
    [([], "it has no tags"), (["nightly"], "none of its 1 tags, such as nightly, is a version")],
)
def test_without_versions_the_other_ways_are_told(
    tmp_path: Path, tags: list[str], why: str
) -> None:
    repository = new_repository(tmp_path / "shop")
    repository.commit()
    for tag in tags:
        repository.tag(tag)
    found = collected(repository.path)

    [text] = found.warnings
    assert text.startswith(f"no deployments in {repository.path}: {why}; if every commit of main")
    assert 'say so in vpemetrics.toml with\n[sources.git]\ntype = "git"\ndeployments = "com' in text
    assert not [one for one in found.of(Coverage) if one.kind == "deployments"]


def test_texts_that_are_no_utf8_are_read(shop: GitRepository) -> None:
    raw = (
        b"tree %s\nparent %s\nauthor Bj\xf6rn <bj\xf6rn@x> 1772442000 +0100\n"
        b"committer B <b@x> 1772442000 +0100\n\nK\xe4se (#12)\n"
    )
    tree, head = shop.git("write-tree").encode(), shop.head().encode()
    sha = shop.git("hash-object", "-t", "commit", "-w", "--stdin", given=raw % (tree, head))
    latin = raw.replace(b"\n\n", b"\nencoding ISO-8859-1\n\n").replace(b"#12", b"#13")
    other = shop.git("hash-object", "-t", "commit", "-w", "--stdin", given=latin % (tree, head))
    shop.merge(sha, "Take one in")
    shop.merge(other, "Take another in")
    found = collected(shop.path)

    assert found.changes[12].title == "K\ufffdse"
    assert found.changes[13].title == "Käse"
    assert found.commits[other].author == "björn@x"


# What Unicode takes for the end of a line, and bytes that are no text at all.
ODD_NAMES = [b"a\xe2\x80\xa8b", b"a\xc2\x85b", b"a\xffb"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_references_with_odd_names_keep_nobody_from_the_others(
    shop: GitRepository, name: bytes
) -> None:
    before = collected(shop.path)
    odd = os.fsdecode(name)
    shop.git("branch", odd)
    shop.git("tag", f"v1.0-beta-{odd}")

    assert collected(shop.path).known == before.known


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_folder_may_have_an_odd_name(tmp_path: Path, name: bytes) -> None:
    repository = new_repository(tmp_path / os.fsdecode(name))
    head = repository.commit()
    repository.tag("v1.0")
    found = collected(repository.path, repository=None)

    assert found.commits.keys() == {head}
    assert found.of(Repository)[0].name == name.decode("utf-8", "replace")


def test_a_folder_with_a_line_break_in_its_name_is_said_to_have_one(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "two\nlines")

    with pytest.raises(FixConfiguration, match=r"two\\nlines' has a line break in its name"):
        collected(repository.path)


def test_references_may_be_packed_while_git_reads(shop: GitRepository) -> None:
    """Git removes the loose ones only then, so that they would be nowhere."""
    git = Git(path=shop.path)
    before = look_at(git)
    shop.git("pack-refs", "--all")

    assert look_at(git) == before
    assert before.tip == shop.head()


@pytest.mark.parametrize("relative", [True, False])
def test_objects_may_lie_in_another_repository(shop: GitRepository, *, relative: bool) -> None:
    borrower = shop.path.parent / "borrower"
    shop.git("clone", "-q", "--shared", str(shop.path), str(borrower))
    lent = borrower / ".git" / "objects" / "info" / "alternates"
    assert lent.is_file()
    if relative:
        lent.write_text(f"../../../{shop.path.name}/.git/objects\n", encoding="utf-8")

    assert collected(borrower).commits.keys() == {shop.head()}


def test_a_repository_of_sha256_is_read(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "long", "--object-format=sha256")
    first = repository.commit()
    second = repository.commit(f'Revert "it"\n\nThis reverts commit {first}.')
    repository.tag("v1.0")
    found = collected(repository.path)

    assert len(second) == 64
    assert found.commits[second].parents == (first,)
    assert found.commits[second].reverts_sha == (first,)
    assert found.deployments["v1.0"].commit_sha == second


def test_a_damaged_date_is_unknown(shop: GitRepository) -> None:
    raw = "tree {}\nauthor A <a@x> 99999999999999 +0000\ncommitter A <a@x> 1772442000 +0000\n\nOdd"
    tree = shop.git("write-tree")
    sha = shop.git(
        "hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=raw.format(tree)
    )
    shop.merge(sha, "Take one in")

    assert collected(shop.path).commits[sha].authored_at is None


def test_settings_of_a_person_change_nothing(
    shop: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shop.commit("Mend (#12)")
    plain = collected(shop.path)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[log]\nshowSignature = true\ndate = relative\ndecorate = full\n[color]\nui = always\n"
        "[format]\npretty = fuller\n[core]\npager = false\nquotePath = true\n"
        "[i18n]\nlogOutputEncoding = UTF-16\n[log]\nmailmap = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_PAGER", "false")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    assert collected(shop.path).known == plain.known


def test_the_exceptions_a_person_made_for_git_are_kept() -> None:
    environ = {"GIT_CONFIG_COUNT": "1", "GIT_DIR": "x", "PATH": "y"}

    kept = environment(environ)
    assert (kept["GIT_CONFIG_COUNT"], kept["PATH"]) == ("1", "y")
    assert "GIT_DIR" not in kept


def test_a_folder_without_a_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="lies in no git repository"):
        collected(tmp_path)
    with pytest.raises(FixConfiguration, match="there is no folder"):
        collected(tmp_path / "nowhere")


def test_a_missing_git_is_an_error(shop: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(FixConfiguration, match="git was not found"):
        collected(shop.path)


def test_a_folder_of_somebody_else_is_an_error_that_tells_the_command(
    shop: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only root could give the folder away; git takes it for somebody else's if it is told to.
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(
        f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {shutil.which("git")} "$@"\n'
    )
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)

    with pytest.raises(FixConfiguration, match=r"git config --global --add safe\.directory"):
        collected(shop.path)


def test_a_damaged_repository_is_an_error_in_gits_words(shop: GitRepository) -> None:
    sha = shop.head()
    shop.commit()
    (shop.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()

    with pytest.raises(GitFailed, match="git could not read"):
        collected(shop.path)


def test_tags_of_anything_but_a_commit_are_left_out(shop: GitRepository) -> None:
    shop.tag("v2.0", at="HEAD^{tree}")
    blob = shop.git("hash-object", "-w", "--stdin", given="a key")
    shop.tag("v3.0", at=blob, message="A blob")

    assert list(collected(shop.path).deployments) == ["v1.0"]


def test_covered_is_the_time_up_to_the_last_fetch(shop: GitRepository) -> None:
    mine = clone(shop, "mine")
    mine.git("fetch", "-q")
    fetched = BEGIN + timedelta(days=3)
    for name in ("FETCH_HEAD", "refs/remotes/origin/HEAD"):
        os.utime(mine.path / ".git" / name, times=(fetched.timestamp(),) * 2)

    found = collected(mine.path)
    expected = (BEGIN + timedelta(minutes=1), fetched)
    assert found.coverage == {
        ("commits", "acme/shop"): expected,
        ("pull_requests", "acme/shop"): expected,
        ("deployments", "acme/shop"): expected,
    }


def test_covered_is_a_fresh_clone_up_to_its_cloning(shop: GitRepository) -> None:
    mine = clone(shop, "mine")
    cloned = BEGIN + timedelta(days=2)
    os.utime(mine.path / ".git/refs/remotes/origin/HEAD", times=(cloned.timestamp(),) * 2)

    assert collected(mine.path).coverage["commits", "acme/shop"][1] == cloned


def test_a_fetch_that_failed_covers_nothing(shop: GitRepository) -> None:
    mine = clone(shop, "mine")
    cloned = BEGIN + timedelta(days=2)
    os.utime(mine.path / ".git/refs/remotes/origin/HEAD", times=(cloned.timestamp(),) * 2)
    mine.git("remote", "set-url", "origin", str(shop.path.parent / "gone"))

    with pytest.raises(AssertionError, match="gone"):
        mine.git("fetch", "-q")

    assert (mine.path / ".git/FETCH_HEAD").exists()
    assert (
        collected(mine.path, repository="acme/shop").coverage["commits", "acme/shop"][1] == cloned
    )


def test_a_fetch_of_something_else_does_not_cover_the_branch(shop: GitRepository) -> None:
    mine = clone(shop, "mine")
    cloned = BEGIN + timedelta(days=2)
    os.utime(mine.path / ".git/refs/remotes/origin/HEAD", times=(cloned.timestamp(),) * 2)
    shop.git("update-ref", "refs/pull/1/head", "HEAD")
    mine.git("fetch", "-q", "origin", "+refs/pull/*/head:refs/pull/*/head")

    assert collected(mine.path).coverage["commits", "acme/shop"][1] == cloned


def test_covered_is_an_original_until_now_and_a_bare_one_until_its_last_change(
    shop: GitRepository,
) -> None:
    assert collected(shop.path).coverage["commits", "acme/shop"][1] == NOW

    bare = shop.path.parent / "bare.git"
    shutil.copytree(shop.path / ".git", bare)
    GitRepository(bare).git("config", "core.bare", "true")
    written = datetime(2026, 4, 1, tzinfo=UTC)
    for path in bare.rglob("*"):
        os.utime(path, times=(written.timestamp(),) * 2)
    assert collected(bare).coverage["commits", "acme/shop"][1] == written


def test_what_is_newer_than_the_last_fetch_proves_to_be_covered(shop: GitRepository) -> None:
    newest = shop.commit()
    mine = clone(shop, "mine")
    os.utime(mine.path / ".git/refs/remotes/origin/HEAD", times=(0, 0))

    found = collected(mine.path)
    assert found.coverage["commits", "acme/shop"][1] == found.commits[newest].committed_at


def test_what_a_clone_lacks_is_counted_and_how_it_is_mended(shop: GitRepository) -> None:
    shop.commit("Mend the cart (!12)")
    shop.git("remote", "add", "upstream", "https://gitlab.example.org/acme/shop.git")
    found = collected(shop.path)

    assert missing_originals(found.options, shop.path, {}) is None
    assert missing_originals(found.options, shop.path, found.cursors) == MissingOriginals(
        repository="acme/shop",
        missing=1,
        command=f"git -C {shop.path} fetch upstream "
        "'+refs/merge-requests/*/head:refs/merge-requests/*/head'",
    )


def test_a_clone_that_came_from_nowhere_cannot_be_mended(shop: GitRepository) -> None:
    shop.commit("Mend the cart (#12)")
    found = collected(shop.path)

    assert missing_originals(found.options, shop.path, found.cursors) is None


def test_who_waits_for_git_in_one_repository_keeps_nobody_from_another(
    shop: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    begun, go_on = tmp_path / "begun", tmp_path / "go on"
    waits = f"touch '{begun}'; while [ ! -e '{go_on}' ]; do sleep 0.05; done"
    slow.write_text(f'#!/bin/sh\n{waits}\nexec {shutil.which("git")} "$@"\n')
    slow.chmod(0o755)
    other = new_repository(tmp_path / "other")
    with monkeypatch.context() as patch, ThreadPoolExecutor() as threads:
        patch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
        waiting = threads.submit(lambda: Git(path=shop.path).layout)
        while not begun.exists():
            time.sleep(0.01)
        patch.undo()
        found = threads.submit(lambda: Git(path=other.path).layout).result(PATIENCE)
        go_on.touch()

    assert found.common.resolve() == (other.path / ".git").resolve()
    assert waiting.result(PATIENCE).common.resolve() == (shop.path / ".git").resolve()

"""Mirrors of repositories in the cache folder: all their commits, and no files.

They have no folders either, unless somebody asks what commits touch.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Final
from urllib.parse import urlsplit

from vpemetrics.collectors.git.commands import Git, GitFailed
from vpemetrics.errors import VpemetricsError
from vpemetrics.files import make_folder
from vpemetrics.fingerprint import fingerprint
from vpemetrics.folders import cache_home

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]  # which is asked before it is used

# https://git-scm.com/docs/git-rev-list#Documentation/git-rev-list.txt---filterltfilter-specgt
_COMMITS_ONLY: Final = "tree:0"
_NO_FILES: Final = "blob:none"
# A connection that stands still is given up, so that no collection hangs:
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-httplowSpeedLimit
_SETTINGS: Final = {"http.lowSpeedLimit": "1000", "http.lowSpeedTime": "60"}
_PLAIN: Final = re.compile(r"[\w=-]{1,100}", re.ASCII)
_SENT_ON: Final = re.compile(r"returned error: 30[1278]")
_LOOPBACK: Final = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")


class Unfetched(VpemetricsError):
    """A mirror could not be fetched; the text is git's own."""


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """The folder where mirrors are kept, and what opens the way to what they mirror.

    `url` is where the repositories are; `account` a user and token as HTTP's basic
    authentication writes them, which are sent there and nowhere else.
    """

    folder: Path
    url: str
    account: str = field(repr=False)

    def mirror(self, id_: str, name: str, *, paths: bool) -> "Mirror":
        """The mirror of a repository, under its permanent id; with folders where paths matter."""
        kind = _NO_FILES if paths else _COMMITS_ONLY
        path = self.folder / f"{_file_name(id_, kind)}.git"
        return Mirror(path=path, url=f"{self.url}/{name}.git", kind=kind, mirrors=self)


def find_mirrors(folder: Path, ids: Iterable[str]) -> list[Path]:
    """The mirrors of repositories in the folder that those of every host are in.

    What was left of unfinished ones is among them.
    """
    if not folder.is_dir():
        return []
    names = (_file_name(id_, kind) for id_ in ids for kind in (_COMMITS_ONLY, _NO_FILES))
    return sorted(path for name in names for path in folder.glob(f"*/{name}.*"))


def mirrors_home(environ: Mapping[str, str]) -> Path:
    """The folder that the mirrors of every host are in."""
    cache = cache_home(environ) or Path.home() / ".cache"
    return cache / "vpemetrics" / "mirrors"


def _file_name(id_: str, kind: str) -> str:
    """The name of a repository's mirror; an id that could be a path stands for itself no more."""
    own = id_ if _PLAIN.fullmatch(id_) else fingerprint(id_)
    return f"{own}-{kind.replace(':', '-')}"


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """One repository's mirror; `kind` is git's filter of what it holds."""

    path: Path
    url: str
    kind: str
    mirrors: Mirrors = field(repr=False)

    def held(self, shas: Sequence[str]) -> list[str]:
        """Those of some commits that are in it already."""
        if not shas or not self.path.is_dir():
            return []
        form = "--batch-check=%(objectname) %(objecttype)"
        return [
            name
            for name, _, kind in (
                line.partition(" ")
                for line in self.git.text("cat-file", form, given=shas).split("\n")
            )
            if kind == "commit"
        ]

    @property
    def git(self) -> Git:
        """Git in the mirror."""
        return Git(path=self.path)

    def update(self) -> None:
        """Fetch what is new, all of it at first. Unfetched if git cannot."""
        if self.path.is_dir():
            with _only_fetch(self.path) as held:
                # By its name, as only a remote has a filter, under the address of now.
                file = f"--file={self.path / 'config'}"
                self.git.discover("config", file, "remote.origin.url", self.url)
                everything = ("--prune", "origin", "+refs/*:refs/*")
                self._fetch(self.path, "--git-dir=.", "fetch", "-q", *everything, keep_open=held)
            return
        make_folder(self.path.parent)
        self._remove_unfinished()
        unfinished = self.path.with_suffix(f".{os.getpid()}")
        make_folder(unfinished)
        options = ("-q", "--mirror", f"--filter={self.kind}")
        self._fetch(self.path.parent, "clone", *options, self.url, str(unfinished))
        try:
            unfinished.rename(self.path)
        except OSError:
            rmtree(unfinished, ignore_errors=True)
            if not self.path.is_dir():  # no other process was first
                raise

    def _remove_unfinished(self) -> None:
        """Remove what processes left behind that were killed while they cloned."""
        for left in self.path.parent.glob(f"{self.path.stem}.[0-9]*"):
            process = int(left.suffix[1:])
            if process == os.getpid() or not _is_running(process):
                rmtree(left, ignore_errors=True)

    def _fetch(self, folder: Path, *arguments: str, keep_open: Iterable[int] = ()) -> None:
        git = Git(path=folder)
        ways, settings = _protocols(self.url), self._settings(git)
        try:
            git.fetch(arguments, protocols=ways, settings=settings, keep_open=keep_open)
        except GitFailed as failed:
            # Git shows what a server says, and some proxies send back what they do not like.
            said = failed.said.replace(self.mirrors.account, "…")
            raise Unfetched(f"git could not fetch {self.url}: {said}{_remedy(said)}") from None

    def _settings(self, git: Git) -> Mapping[str, str]:
        """The settings of a fetch; the account only where it leads to whose account it is.

        Somebody's `insteadOf` may lead elsewhere, to a proxy of theirs or by ssh:
        https://git-scm.com/docs/git-config (url.<base>.insteadOf)
        """
        leads_to = git.discover("ls-remote", "--get-url", self.url).strip()
        if _origin(leads_to) != _origin(self.url):
            return _SETTINGS
        scheme, host = _origin(self.url)
        header = f"http.{scheme}://{host}/.extraHeader"
        return {**_SETTINGS, header: f"Authorization: Basic {self.mirrors.account}"}


@contextmanager
def _only_fetch(mirror: Path) -> Iterator[Sequence[int]]:
    """Be the only one that fetches a mirror, with what others left removed that were killed.

    Yields the files by which that is known, for git to keep open: so it holds until git has
    ended too, whoever started it.
    """
    if fcntl is None:
        yield ()
        return
    folder = os.open(mirror, os.O_RDONLY)
    try:
        # https://man7.org/linux/man-pages/man2/flock.2.html
        fcntl.flock(folder, fcntl.LOCK_EX)
        for left in _leftovers(mirror):
            left.unlink(missing_ok=True)
        yield (folder,)
    finally:
        os.close(folder)


def _leftovers(mirror: Path) -> Iterator[Path]:
    """The locks and unfinished packs in a mirror that nobody is fetching.

    Git waits for no lock: one that is left stops every later fetch. No reference of its ends so
    (https://git-scm.com/docs/git-check-ref-format).
    """
    for folder, _, names in os.walk(mirror):
        is_of_packs = Path(folder) == mirror / "objects" / "pack"
        for name in names:
            if name.endswith(".lock") or (is_of_packs and name.startswith("tmp_")):
                yield Path(folder, name)


def _remedy(said: str) -> str:
    if not _SENT_ON.search(said):
        return ""
    return (
        "\nIt sends on to another address, where the token is not sent; if the repositories have "
        "moved, write the address they have now"
    )


def _protocols(url: str) -> tuple[str, ...]:
    """The ways git may go: encrypted ones, and to this machine any."""
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and _LOOPBACK.fullmatch(parts.hostname or "")
    return ("https", "ssh", "http") if is_here else ("https", "ssh")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True

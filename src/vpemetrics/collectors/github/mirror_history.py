"""The commits of deployed branches from a mirror, where one is kept: git has all of them.

A mirror lies in the cache folder. It holds no files, and no folders either unless somebody asks
what commits touch.
"""

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Final
from urllib.parse import urlsplit

from vpemetrics.collectors.git.commands import SETTINGS, Git, environment, flags
from vpemetrics.collectors.git.commits import Recorder
from vpemetrics.collectors.git.log import Logged, read_log, read_paths
from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.commit_history import HistoryReader
from vpemetrics.collectors.github.cursor import HistoryProgress, SeenCommits
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.errors import FixConfiguration, VpemetricsError
from vpemetrics.folders import cache_home
from vpemetrics.records import Commit

_AT_ONCE: Final = 4096
"""The number of commits in a batch."""

# https://git-scm.com/docs/git-rev-list#Documentation/git-rev-list.txt---filterltfilter-specgt
_COMMITS_ONLY: Final = "tree:0"
_NO_FILES: Final = "blob:none"
# A connection that stands still is given up, so that no collection hangs:
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-httplowSpeedLimit
_SETTINGS: Final = {"http.lowSpeedLimit": "1000", "http.lowSpeedTime": "60"}


class Unfetched(VpemetricsError):
    """A mirror could not be fetched; the text is git's own."""


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """The folder where mirrors are kept, and the token that opens the way to what they mirror."""

    folder: Path
    url: str
    token: str = field(repr=False)

    @property
    def account(self) -> str:
        """The account that fetches, as a header has it."""
        # https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#about-authentication-as-a-github-app-installation
        return b64encode(f"x-access-token:{self.token}".encode()).decode()

    def mirror(self, id_: str, name: str, *, paths: bool) -> "Mirror":
        """The mirror of a repository, under its permanent id; with folders where paths matter."""
        kind = _NO_FILES if paths else _COMMITS_ONLY
        path = self.folder / f"{id_}-{kind.replace(':', '-')}.git"
        return Mirror(path=path, url=f"{web_address(self.url)}/{name}.git", kind=kind, mirrors=self)


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
            # By its name, as only a remote has a filter, under the address of now.
            self.git.discover(
                "config", f"--file={self.path / 'config'}", "remote.origin.url", self.url
            )
            everything = ("--prune", "origin", "+refs/*:refs/*")
            self._run(f"--git-dir={self.path}", "fetch", "-q", *everything)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._remove_unfinished()
        unfinished = self.path.with_suffix(f".{os.getpid()}")
        self._run("clone", "-q", "--mirror", f"--filter={self.kind}", self.url, str(unfinished))
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

    def _run(self, *arguments: str) -> None:
        variables = environment(os.environ, ("https", "http", "ssh")) | self._settings()
        # Fetching is what a mirror of parts is completed by.
        variables.pop("GIT_NO_LAZY_FETCH", None)
        try:
            done = subprocess.run(
                ["git", *flags(SETTINGS), *arguments],
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise FixConfiguration("git was not found; install it, or mend PATH") from None
        if done.returncode:
            # Git shows what a server says, and some proxies send back what they do not like.
            said = done.stderr.decode("utf-8", "replace").strip().replace(self.mirrors.account, "…")
            raise Unfetched(f"git could not fetch {self.url}: {said or 'it gave no reason'}")

    def _settings(self) -> dict[str, str]:
        """The token and other settings, in the environment, which other people cannot see."""
        header = f"http.{web_address(self.mirrors.url)}/.extraHeader"
        settings = _SETTINGS | {header: f"Authorization: Basic {self.mirrors.account}"}
        before = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
        variables = {"GIT_CONFIG_COUNT": str(before + len(settings))}
        for at, (key, value) in enumerate(settings.items(), before):
            variables |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
        return variables


class MirrorHistoryReader(HistoryReader):
    """Reads the histories of one repository from its mirror, whole and without any request."""

    def __init__(
        self,
        target: RepositoryTarget,
        client: Client,
        seen: SeenCommits,
        before: HistoryProgress | None,
        mirror: Mirror,
    ) -> None:
        """As of the API's; the mirror is fetched when something is wanted that it lacks."""
        super().__init__(target, client, seen, before)
        self._mirror = mirror
        is_read = before and not before.walks and before.settings == self.history.settings
        self._read_tip = before.tip if before and is_read else None
        self._recorder = Recorder(target.naming.known, target.naming.is_bot)

    def read(self) -> Iterator[list[Commit]]:
        """New commits in batches."""
        tips = [walk.tip for walk in self.history.walks if walk.tip not in self._seen]
        if len(self._mirror.held(tips)) < len(tips):
            self._mirror.update()
        there = self._mirror.held(tips)
        read = self._mirror.held([self._read_tip] if self._read_tip else [])
        log = iter(read_log(self._mirror.git, there, without=read) if there else ())
        while some := list(islice(log, _AT_ONCE)):
            commits = self._records([logged for logged in some if logged.sha not in self._seen])
            self._seen.add(commit.sha for commit in commits)
            yield commits
        self.history = replace(self.history, walks=())
        self._read_tip = self.history.tip

    def originals(self, shas: Sequence[str]) -> list[Commit]:
        """Commits of pull requests as they are in the mirror, with their parents."""
        # https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally
        wanted = self._mirror.held([sha for sha in shas if sha not in self._seen])
        if not wanted:
            return []
        return self._records(list(read_log(self._mirror.git, wanted, more=("--no-walk=unsorted",))))

    def _records(self, log: Sequence[Logged]) -> list[Commit]:
        commits = [self._recorder(logged) for logged in log]
        if not self._target.paths:
            return commits
        plain = [commit.sha for commit in commits if len(commit.parents) < 2]
        paths = read_paths(self._mirror.git, plain)
        return [replace(commit, paths=paths.get(commit.sha)) for commit in commits]


def mirrors_in_cache(environ: Mapping[str, str], *, url: str, token: str) -> Mirrors:
    """Mirrors in a person's cache folder, apart for each GitHub."""
    cache = cache_home(environ) or Path.home() / ".cache"
    host = (urlsplit(web_address(url)).netloc or "github").replace(":", "-")
    return Mirrors(folder=cache / "vpemetrics" / "mirrors" / host, url=url, token=token)


def web_address(url: str) -> str:
    """The address of a GitHub's repositories, by that of its REST API."""
    # https://docs.github.com/en/enterprise-server@latest/rest/enterprise-admin#endpoint-urls
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("api.") if parts.netloc.startswith("api.") else parts.netloc
    return f"{parts.scheme}://{host}{parts.path.removesuffix('/').removesuffix('/api/v3')}"


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True

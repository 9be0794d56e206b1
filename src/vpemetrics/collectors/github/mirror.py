"""A mirror of a repository that is kept in the cache folder, so that git tells its commits.

It holds no files, and no folders either unless somebody asks what commits touch.
"""

import os
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Final
from urllib.parse import urlsplit

from vpemetrics.collectors.git.commands import Git, plain_environment
from vpemetrics.errors import FixConfiguration, VpemetricsError

_COMMITS_ONLY: Final = "tree:0"
_NO_FILES: Final = "blob:none"
# A connection that stands still is given up, so that no collection hangs.
_SETTINGS: Final = {"http.lowSpeedLimit": "1000", "http.lowSpeedTime": "60"}


class Unfetched(VpemetricsError):
    """A mirror could not be fetched; the text is git's own."""


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """Where mirrors are kept, and what opens the way to what they mirror."""

    folder: Path
    url: str
    token: str = field(repr=False)

    @property
    def account(self) -> str:
        """Who fetches, as a header has it."""
        return b64encode(f"x-access-token:{self.token}".encode()).decode()

    def of(self, id_: str, name: str, *, paths: bool) -> "Mirror":
        """The mirror of a repository, under its permanent id; with folders where paths matter."""
        kind = _NO_FILES if paths else _COMMITS_ONLY
        place = self.folder / f"{id_}-{kind.replace(':', '-')}.git"
        return Mirror(path=place, url=f"{web_address(self.url)}/{name}.git", kind=kind, of=self)


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """One repository's mirror; `kind` is git's filter of what it holds."""

    path: Path
    url: str
    kind: str
    of: Mirrors = field(repr=False)

    def held(self, shas: Sequence[str]) -> list[str]:
        """Which of these commits are in it already."""
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
        """Fetches what is new, all of it at first. Unfetched if git cannot."""
        if self.path.is_dir():
            # By its name, as only a remote has a filter, under the address of now.
            self.git.text("remote", "set-url", "origin", self.url)
            self._run("-C", str(self.path), "fetch", "-q", "--prune", "origin", "+refs/*:refs/*")
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
        """Removes what processes left behind that were killed while they cloned."""
        for left in self.path.parent.glob(f"{self.path.stem}.[0-9]*"):
            process = int(left.suffix[1:])
            if process == os.getpid() or not _is_running(process):
                rmtree(left, ignore_errors=True)

    def _run(self, *arguments: str) -> None:
        environment = plain_environment(os.environ) | self._configured()
        # Fetching is what a mirror of parts is completed by.
        environment.pop("GIT_NO_LAZY_FETCH", None)
        try:
            done = subprocess.run(
                ["git", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise FixConfiguration("git was not found; install it, or mend PATH") from None
        if done.returncode:
            # Git shows what a server says, and some proxies send back what they do not like.
            said = done.stderr.decode("utf-8", "replace").strip().replace(self.of.account, "…")
            raise Unfetched(f"git could not fetch {self.url}: {said or 'it gave no reason'}")

    def _configured(self) -> dict[str, str]:
        """The token and other settings, in the environment, which other people cannot see."""
        header = f"http.{web_address(self.of.url)}/.extraHeader"
        settings = _SETTINGS | {header: f"Authorization: Basic {self.of.account}"}
        before = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
        found = {"GIT_CONFIG_COUNT": str(before + len(settings))}
        for at, (key, value) in enumerate(settings.items(), before):
            found |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
        return found


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def mirrors_in_cache(environ: Mapping[str, str], *, url: str, token: str) -> Mirrors:
    """Mirrors in a person's cache folder, apart for each GitHub."""
    cache = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    host = (urlsplit(web_address(url)).netloc or "github").replace(":", "-")
    return Mirrors(folder=Path(cache) / "vpemetrics" / "mirrors" / host, url=url, token=token)


def web_address(url: str) -> str:
    """Where the repositories of a GitHub are, by the address of its REST API."""
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("api.") if parts.netloc.startswith("api.") else parts.netloc
    return f"{parts.scheme}://{host}{parts.path.removesuffix('/').removesuffix('/api/v3')}"

"""The place that a clone came from, as the settings of the person here name it."""

import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from vpemetrics.collectors.git.commands import Git

# The two forms of an address, with and without a scheme: https://git-scm.com/docs/git-clone#_git_urls
_URL: Final = re.compile(r"(?:ssh|git|https?)://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)")
_SCP: Final = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:]{2,}):(?P<path>[^/].*)")
# What names a host, and is no option nor anything else that a shell of somebody would run:
# https://man.openbsd.org/ssh_config#TOKENS
_ALIAS: Final = re.compile(r"[a-z0-9_][a-z0-9_-]*", re.IGNORECASE)
_HOST_NAME: Final = re.compile(r"^hostname (\S+)$", re.MULTILINE)
_NEEDED: Final = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT")
_PATIENCE: Final = 5.0
"""Seconds that ssh may take to read its settings."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """The place a clone came from; `host` is None for a folder."""

    name: str
    host: str | None
    path: str

    @property
    def is_gitlab(self) -> bool:
        """True of a GitLab, as far as its name tells."""
        return "gitlab" in (self.host or "")

    def change_url(self, number: int) -> str | None:
        """The address of a pull request, for hosts whose addresses are known."""
        host = self.host or ""
        if self.is_gitlab:
            return f"https://{host}/{self.path}/-/merge_requests/{number}"
        if host == "github.com" or host.startswith("github."):
            return f"https://{host}/{self.path}/pull/{number}"
        if host == "bitbucket.org":
            return f"https://{host}/{self.path}/pull-requests/{number}"
        return None


def parse_remote(name: str, url: str) -> Remote:
    """A remote by its address; what is secret in it is left out."""
    found = _URL.fullmatch(url) or _SCP.fullmatch(url)
    host, path = found.group("host", "path") if found else (None, Path(url).as_posix())
    path = path.strip("/").removesuffix("/.git").removesuffix(".git").removeprefix("scm/")
    return Remote(
        name=name,
        host=host.lower() if host else None,
        path=path if host else path.rpartition("/")[2],
    )


def remote_of(git: Git) -> Remote | None:
    """The remote named origin, or else the first one."""
    listed = git.attempt("config", "-z", "--get-regexp", r"^remote\..*\.url$") or ""
    urls = {
        key.removeprefix("remote.").removesuffix(".url"): url
        for key, _, url in (line.partition("\n") for line in listed.split("\0") if line)
    }
    if not urls:
        return None
    name = "origin" if "origin" in urls else next(iter(urls))
    remote = parse_remote(name, urls[name])
    if _is_whole(remote, urls[name]):
        return remote
    # An address may be short for another: https://git-scm.com/docs/git-config (insteadOf)
    url = (git.attempt("ls-remote", "--get-url", "--", urls[name]) or urls[name]).strip()
    remote = parse_remote(name, url)
    return remote if _is_whole(remote, url) else replace(remote, host=_host_of(remote.host))


def _is_whole(remote: Remote, url: str) -> bool:
    """Tell whether an address names a host as the whole internet does, or a folder."""
    if remote.host is None:
        return Path(url).is_absolute() or url.startswith(".")
    return "." in remote.host or remote.host == "localhost"


def _host_of(alias: str | None) -> str | None:
    """The host that ssh goes to under a name of the person's own."""
    if alias is None or not _ALIAS.fullmatch(alias):
        return alias
    try:
        # https://man.openbsd.org/ssh#G
        told = subprocess.run(
            ["ssh", "-G", alias],
            env={name: os.environ[name] for name in _NEEDED if name in os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return alias
    found = _HOST_NAME.search(told.stdout.decode("utf-8", "replace"))
    return found.group(1).lower() if found else alias

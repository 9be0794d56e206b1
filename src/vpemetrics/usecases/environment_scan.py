"""What there is to begin a configuration with: git clones, GitHub and a token, a time zone.

The clones are that around the working directory or those in it. GitHub is where they came from;
its token is in GITHUB_TOKEN or GH_TOKEN, or the login of `gh`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.config.secrets import resolve
from vpemetrics.config.stores import find_git_dir
from vpemetrics.errors import FixConfiguration, VpemetricsError

if TYPE_CHECKING:
    from vpemetrics.collectors.github.client import Access
    from vpemetrics.collectors.github.patience import Patience

TOKENS: Final = ("env:GITHUB_TOKEN", "env:GH_TOKEN", "gh")
"""Where a token for GitHub is looked for, in this order."""

_PUBLIC: Final = "https://api.github.com"
_MOST_CLONES: Final = 50
_ZONES: Final = "zoneinfo/"


@dataclass(frozen=True, kw_only=True)
class EnvironmentScan:
    """What there is to begin with; the configuration's paths start at `home`.

    `token` says where a token is, `url` where GitHub answers, `names` which of its repositories
    the clones came from; `elsewhere` are the clones that came from another place.
    """

    home: Path
    clones: tuple[Clone, ...]
    elsewhere: tuple[Clone, ...]
    names: tuple[str, ...]
    url: str
    token: str | None
    trouble: tuple[str, ...] = ()

    def path(self, clone: Clone) -> str:
        """Where a clone is, as the configuration says it."""
        return Path(relpath(clone.git.path, self.home)).as_posix()


def scan_environment(folder: Path, home: Path, environ: Mapping[str, str]) -> EnvironmentScan:
    """The clones at a folder or in it, and what is known of GitHub.

    `home` is where the configuration is going to be. Both are absolute.
    """
    clones, trouble = _clones(folder)
    url = _api(clones, environ)
    host = web_host(url)
    of_github = [one for one in clones if one.remote and _is_at(one.remote.host, host)]
    return EnvironmentScan(
        home=home,
        clones=tuple(clones),
        elsewhere=tuple(one for one in clones if one not in of_github),
        names=tuple(dict.fromkeys(one.name for one in of_github)),
        url=url,
        token=_token(folder, environ),
        trouble=tuple(trouble),
    )


def web_host(url: str) -> str:
    """Where people see the GitHub whose REST address this is."""
    host = urlsplit(url).hostname or ""
    return host.removeprefix("api.")


@contextmanager
def github(
    around: EnvironmentScan, environ: Mapping[str, str], patience: "Patience"
) -> "Iterator[Access]":
    """GitHub, open to ask with the token that was found."""
    from vpemetrics.collectors.github.client import access_by_token

    token = resolve(around.token or "", environ, folder=around.home).reveal()
    access = access_by_token(url=around.url, token=token, patience=patience)
    try:
        yield access
    finally:
        access.close()


def is_shown_to_git(location: str) -> bool:
    """Whether a file lies, or would lie, where git takes it for something to commit."""
    path = Path(location)
    if "://" in location or find_git_dir(path.parent) is None:
        return False
    git = Git(path=path.parent)
    is_in_tree = (git.attempt("rev-parse", "--is-inside-work-tree") or "").strip() == "true"
    return is_in_tree and git.attempt("check-ignore", "-q", path.name) is None


def local_zone(environ: Mapping[str, str], clock: Path = Path("/etc/localtime")) -> str:
    """The time zone of this machine by its name; UTC where it tells none."""
    told = environ.get("TZ", "").removeprefix(":")
    linked = str(clock.resolve()).rpartition(_ZONES)[2] if clock.is_symlink() else ""
    for name in (told.rpartition(_ZONES)[2], linked):
        if name and _is_zone(name):
            return "UTC" if name == "Etc/UTC" else name
    return "UTC"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return "/" in name


def _clones(folder: Path) -> tuple[list[Clone], list[str]]:
    """The clone that a folder is in, else those in it; and what is wrong with others."""
    if find_git_dir(folder):
        return [look_at(Git(path=folder))], []
    found: list[Clone] = []
    trouble: list[str] = []
    inside = sorted(child for child in folder.iterdir() if child.is_dir() and find_git_dir(child))
    for child in inside[:_MOST_CLONES]:
        try:
            clone = look_at(Git(path=child))
        except VpemetricsError as error:
            trouble.append(f"{child.name} was left out: {error}")
            continue
        same = next((one for one in found if _is_same(one, clone)), None)
        if same:
            trouble.append(f"{child.name} was left out: {same.git.path.name} is {clone.name} too")
        else:
            found.append(clone)
    if len(inside) > _MOST_CLONES:
        trouble.append(f"only the first {_MOST_CLONES} of {len(inside)} clones were looked at")
    return found, trouble


def _is_same(one: Clone, other: Clone) -> bool:
    """Whether two clones are of one repository, as far as their names tell."""
    hosts = [of.remote.host if of.remote else None for of in (one, other)]
    return one.name == other.name and hosts[0] == hosts[1]


def _api(clones: Iterable[Clone], environ: Mapping[str, str]) -> str:
    """The address of the GitHub that the environment names, else of the first remote at one."""
    if told := environ.get("GITHUB_API_URL"):
        return told.rstrip("/")
    hosts = [one.remote.host for one in clones if one.remote and one.remote.host]
    for host in (environ.get("GH_HOST"), *hosts):
        if host and host.removeprefix("ssh.") == "github.com":
            return _PUBLIC
        if host and (host == environ.get("GH_HOST") or host.startswith("github.")):
            return f"https://{host}/api/v3"
    return _PUBLIC


def _is_at(host: str | None, github_host: str) -> bool:
    return host is not None and host.removeprefix("ssh.") == github_host


def _token(folder: Path, environ: Mapping[str, str]) -> str | None:
    for reference in TOKENS:
        try:
            resolve(reference, environ, folder=folder)
        except FixConfiguration:
            continue
        return reference
    return None

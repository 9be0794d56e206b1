"""The surroundings that a first configuration begins with: clones, forges, a time zone.

The clones are that around the working directory or those in it; every source is asked what else
it discovers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from vpemetrics.collectors.base import DiscoveryContext
from vpemetrics.collectors.discovery import Discovery, Forge, LocalRepository, SourceProposal
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.registry import collector_names, collector_of
from vpemetrics.config.secrets import resolve
from vpemetrics.config.stores import find_git_dir
from vpemetrics.errors import FixConfiguration, VpemetricsError

_MOST_CLONES: Final = 50
_ZONES: Final = "zoneinfo/"


@dataclass(frozen=True, kw_only=True)
class EnvironmentScan:
    """The clones here, what sources discovered, and what could not be looked at, a line each."""

    clones: tuple[Clone, ...]
    forges: tuple[Forge, ...] = ()
    local: tuple[LocalRepository, ...] = ()
    ready: tuple[SourceProposal, ...] = ()
    trouble: tuple[str, ...] = ()


def scan_environment(
    folder: Path,
    home: Path,
    environ: Mapping[str, str],
    *,
    now: datetime,
    announce: Callable[[str], None],
) -> EnvironmentScan:
    """The clones at a folder or in it, and what sources make of them and of the environment.

    `home` is where the configuration is going to be. Both are absolute.
    """
    clones, trouble = _clones(folder)
    context = DiscoveryContext(
        now=now,
        home=home,
        environ=environ,
        clones=tuple(clones),
        secret=lambda reference: resolve(reference, environ, folder=home).reveal(),
        announce=announce,
    )
    discoveries = list(_discoveries(context, trouble.append))
    return EnvironmentScan(
        clones=context.clones,
        forges=tuple(found for found in discoveries if isinstance(found, Forge)),
        local=tuple(found for found in discoveries if isinstance(found, LocalRepository)),
        ready=tuple(found for found in discoveries if isinstance(found, SourceProposal)),
        trouble=tuple(trouble),
    )


def is_shown_to_git(location: str) -> bool:
    """Tell whether a file lies, or would lie, where git takes it for something to commit."""
    path = Path(location)
    if "://" in location or find_git_dir(path.parent) is None:
        return False
    git = Git(path=path.parent)
    is_inside = path.resolve().is_relative_to(git.layout.common.resolve())
    return not is_inside and not git.layout.is_bare and not git.ignores(path.name)


def local_zone(environ: Mapping[str, str], clock: Path = Path("/etc/localtime")) -> str:
    """The time zone of this machine by its name; UTC where it tells none."""
    told = environ.get("TZ", "").removeprefix(":")
    linked = str(clock.resolve()).rpartition(_ZONES)[2] if clock.is_symlink() else ""
    for name in (told.rpartition(_ZONES)[2], linked):
        if name and _is_zone(name):
            return "UTC" if name == "Etc/UTC" else name
    return "UTC"


def _discoveries(context: DiscoveryContext, warn: Callable[[str], None]) -> Iterator[Discovery]:
    """The discoveries of every source; one that is broken keeps no other from being asked."""
    for name in collector_names():
        try:
            yield from collector_of(name).discover(context)
        except FixConfiguration as error:
            warn(str(error))


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
        same = next((known for known in found if _is_same(known, clone)), None)
        if same:
            trouble.append(f"{child.name} was left out: {same.git.path.name} is {clone.name} too")
        else:
            found.append(clone)
    if len(inside) > _MOST_CLONES:
        trouble.append(f"only the first {_MOST_CLONES} of {len(inside)} clones were looked at")
    return found, trouble


def _is_same(clone: Clone, other: Clone) -> bool:
    """Tell whether two clones are of one repository, as far as their names do."""
    hosts = [known.remote.host if known.remote else None for known in (clone, other)]
    return clone.name == other.name and hosts[0] == hosts[1]

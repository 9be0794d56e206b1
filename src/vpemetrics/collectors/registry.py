"""The types of sources: what they are called in the configuration, and where their parts are.

Nothing is imported until it is used, and then only the part that is: a command that only reads
the configuration imports a source's options, and neither its way of collecting nor what that
takes. A source of another package is found by its entry point, for a name that is not here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from vpemetrics.collectors.base import Collector
from vpemetrics.errors import FixConfiguration
from vpemetrics.names import load

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "vpemetrics.collectors"
"""The entry points under which other packages name their sources: type = "module"."""

_NEEDED: Final = ("Options", "collect")
_OPTIONAL: Final = ("check", "discover")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The places of a source's parts, each as "module:attribute"."""

    options: str
    collect: str
    check: str
    discover: str | None = None


def module(name: str, *, discovers: bool = False) -> Parts:
    """The parts of a source that is one file."""
    return Parts(
        options=f"{name}:Options",
        collect=f"{name}:collect",
        check=f"{name}:check",
        discover=f"{name}:discover" if discovers else None,
    )


def package(name: str, *, discovers: bool = False) -> Parts:
    """The parts of a source that is a folder with a file for each."""
    return Parts(
        options=f"{name}.options:Options",
        collect=f"{name}.collect:collect",
        check=f"{name}.check:check",
        discover=f"{name}.discover:discover" if discovers else None,
    )


COLLECTORS: Final[dict[str, Parts]] = {
    "files": package("vpemetrics.collectors.files"),
    "git": package("vpemetrics.collectors.git", discovers=True),
    "github": package("vpemetrics.collectors.github", discovers=True),
    "gitlab": module("vpemetrics.collectors.gitlab"),
    "gitops": package("vpemetrics.collectors.gitops"),
    "pagerduty": module("vpemetrics.collectors.pagerduty", discovers=True),
}


def find_collector(name: str) -> Collector | None:
    """The collector of a type of source, ours or another package's; None if nobody has it.

    FixConfiguration where another package names it and it cannot be used.
    """
    if parts := COLLECTORS.get(name):
        return _collector(parts)
    return next((_of_package(entry) for entry in _entries() if entry.name == name), None)


def collector_of(name: str) -> Collector:
    """The collector of a type of source; FixConfiguration where nobody has it."""
    if found := find_collector(name):
        return found
    raise FixConfiguration(
        f"there is no type of source {name!r}; there are {', '.join(collector_names())}"
    )


def collector_names() -> tuple[str, ...]:
    """The types of sources there are, ours first."""
    return tuple(dict.fromkeys((*COLLECTORS, *(entry.name for entry in _entries()))))


@cache
def _collector(parts: Parts) -> Collector:
    """A collector whose functions are imported when they are called."""
    return Collector(
        options=load(parts.options),
        collect=_imported_late(parts.collect),
        check=_imported_late(parts.check),
        **({"discover": _imported_late(parts.discover)} if parts.discover else {}),
    )


def _imported_late(place: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return load(place)(*arguments)

    return call


def _entries() -> "Iterable[EntryPoint]":
    # It takes as long to import as some commands take altogether.
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _of_package(entry: "EntryPoint") -> Collector:
    """The collector that a module of another package is; its parts have the same names as ours."""
    owner = f"the package {entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
    try:
        found = entry.load()
    except Exception as error:  # whatever may go wrong in code that is not ours
        raise FixConfiguration(
            f"{owner} has the source {entry.name}, but {entry.value} cannot be imported: "
            f"{type(error).__name__}: {error}; mend or remove that package"
        ) from error
    if lacking := [part for part in _NEEDED if not hasattr(found, part)]:
        raise FixConfiguration(
            f"{owner} has the source {entry.name}, but {entry.value} has no "
            f"{' and no '.join(lacking)}; mend or remove that package"
        )
    optional = {part: getattr(found, part) for part in _OPTIONAL if hasattr(found, part)}
    return Collector(options=found.Options, collect=found.collect, **optional)

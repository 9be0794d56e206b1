"""The store that is used, and why: the first of option, configuration, clone and user's folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import isdir, isfile
from pathlib import Path
from typing import Final

from vpemetrics.config.environment import variable
from vpemetrics.config.load import Configuration
from vpemetrics.config.secrets import (
    HOW_TO,
    LITERAL,
    is_literal,
    is_reference,
    mask,
    resolve,
)
from vpemetrics.config.trust import Disclosure, path_disclosure
from vpemetrics.errors import FixConfiguration
from vpemetrics.files import read_beginning
from vpemetrics.fingerprint import fingerprint
from vpemetrics.folders import data_home, locate

STORE_NAME: Final = "vpemetrics.db"

_MOST_OF_LINE: Final = 1 << 16
_A_FILE: Final = "(a file)"
_POSTGRESQL_PORT: Final = 5432
_LEADING_NOWHERE: Final = frozenset(
    {"application_name", "connect_timeout", "password", "sslmode", "sslrootcert", "user"}
)
_SHOWN: Final = frozenset({"host", "hostaddr", "port", "service"})


@dataclass(frozen=True, kw_only=True)
class StoreChoice:
    """The store to use: a path or a database's URL, which may hold a password."""

    location: str = field(repr=False)
    why: str
    other: Path | None = None
    """The store in the user's folder, where there is one that the clone's goes before."""
    of_clone: bool = False
    """Tell whether it is a clone's own, which holds what the clone says and nothing else."""
    disclosures: tuple[Disclosure, ...] = ()
    """The places that a configuration which was found leads to, beyond the user's own."""
    found: Path | None = None
    """The file of a store that no person named; it may have come with the folder it lies in."""

    def __str__(self) -> str:
        """One line for people, without a password."""
        also = f"; there is one at {self.other} too" if self.other else ""
        return f"store: {mask(self.location)} ({self.why}{also})"


def choose_store(
    option: str | None,
    configuration: Configuration,
    cwd: Path,
    environ: Mapping[str, str],
    *,
    for_import: bool,
) -> StoreChoice:
    """The store for a command run in `cwd` (absolute).

    `--store`; `store` of the configuration, by default `vpemetrics.db` beside the file;
    in a clone without a configuration the clone's own, but never for an import;
    else the one in the user's data folder.
    """
    if option is not None:
        return StoreChoice(location=_option(option, cwd, environ), why="--store")
    if configuration.settings.store is not None:
        return _of_configuration(configuration, configuration.settings.store, cwd, environ)
    if configuration.path is not None:
        beside = str(cwd / configuration.path.parent / STORE_NAME)
        return StoreChoice(
            location=beside,
            why=f"beside {configuration.path}",
            disclosures=_disclosures(configuration, beside, "store", environ),
            found=Path(beside) if configuration.is_found else None,
        )
    users = _users(environ)
    git_dir = None if for_import else find_git_dir(cwd)
    if git_dir is None:
        return _in_users_folder(users)
    cache = git_dir / "vpemetrics" / STORE_NAME
    _check_inside(cache, git_dir)
    return StoreChoice(
        location=str(cache),
        why="the cache of this clone",
        other=users if users and isfile(users) else None,
        of_clone=True,
        found=cache,
    )


def _check_inside(cache: Path, git_dir: Path) -> None:
    """Refuse a clone's store that is a link to somewhere else: whoever made the folder laid it."""
    if not Path(os.path.realpath(cache)).is_relative_to(os.path.realpath(git_dir)):
        raise FixConfiguration(
            f"{cache} leads out of this clone, to {os.path.realpath(cache)}; it was not followed. "
            "Remove the link, or name a store with --store"
        )


def find_git_dir(folder: Path) -> Path | None:
    """The git directory around a folder: its work tree's, shared by all of them, or a bare one."""
    for parent in (folder, *folder.parents):
        git = parent / ".git"
        if isfile(git / "HEAD"):
            return git
        if isfile(git):
            return _pointed_to(git)
        if _is_git_dir(parent):
            return parent
    return None


def lies_above_clone(configuration: Configuration) -> bool:
    """Tell whether a configuration was come upon above the clone around the working directory."""
    if not configuration.is_found or configuration.path is None:
        return False
    git = find_git_dir(Path.cwd())
    clone = git.parent if git and git.name == ".git" else git
    return clone is not None and (Path.cwd() / configuration.path).parent in clone.parents


def _is_git_dir(folder: Path) -> bool:
    return isfile(folder / "HEAD") and isdir(folder / "objects") and isdir(folder / "refs")


def _pointed_to(git: Path) -> Path | None:
    """The git directory that a `.git` file of a work tree or submodule stands for."""
    kept = git.parent / _line_in(git).removeprefix("gitdir: ")
    if not isfile(kept / "HEAD"):
        return None
    common = kept / "commondir"
    shared = kept / _line_in(common) if isfile(common) else kept
    return shared.resolve() if _is_git_dir(shared) else None


def _line_in(file: Path) -> str:
    return os.fsdecode(read_beginning(file, _MOST_OF_LINE)).strip()


def _option(option: str, cwd: Path, environ: Mapping[str, str]) -> str:
    if is_literal(option):
        raise FixConfiguration(f"--store: {LITERAL}; {HOW_TO}")
    return _location(option, cwd, environ)


def _of_configuration(
    configuration: Configuration, store: str, cwd: Path, environ: Mapping[str, str]
) -> StoreChoice:
    file = configuration.path
    if file is None or "store" in configuration.from_environment:
        return StoreChoice(location=_location(store, cwd, environ), why=variable("store"))
    location = _location(store, cwd / file.parent, environ)
    what = store if is_reference(store) else "store"
    return StoreChoice(
        location=location,
        why=f"`store` in {file}",
        disclosures=_disclosures(configuration, location, what, environ),
        found=_path(location) if configuration.is_found else None,
    )


def _disclosures(
    configuration: Configuration, location: str, what: str, environ: Mapping[str, str]
) -> tuple[Disclosure, ...]:
    """The places that a store leads to; what a secret says of a path is shown to nobody."""
    if not configuration.is_found:
        return ()
    folder = configuration.locate(".")
    path = _path(location)
    if path is not None and what == "store":
        return path_disclosure("store", path, folder, environ)
    places = (_A_FILE,) if path is not None else _hosts(location)
    return tuple(Disclosure(setting="store", what=what, to=place) for place in places)


def _path(location: str) -> Path | None:
    """The file of a store; None for one that is elsewhere."""
    if "://" not in location:
        return Path(location)
    from vpemetrics.store.engine import file_of, location_url

    return file_of(location_url(location))


def _hosts(location: str) -> tuple[str, ...]:
    """The hosts of a database's address, and what else in it says where it leads.

    Of its parameters only those are passed over that are known to lead nowhere:
    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    """
    from vpemetrics.store.engine import location_url

    url = location_url(location)
    port = f":{url.port}" if url.port not in (None, _POSTGRESQL_PORT) else ""
    leading = [
        f"{key}={value if key in _SHOWN else fingerprint(value)}"
        for key, value in url.query.items()
        if key not in _LEADING_NOWHERE
    ]
    return (f"{url.host or 'localhost'}{port}", *leading)


def _location(store: str, folder: Path, environ: Mapping[str, str]) -> str:
    """A URL as it is, a reference resolved, a path from the folder it is relative to."""
    if store.startswith(("env:", "file:")):
        store = resolve(store, environ, folder=folder).reveal()
    return store if "://" in store else str(locate(folder, store))


def _users(environ: Mapping[str, str]) -> Path | None:
    home = data_home(environ)
    return home / "vpemetrics" / STORE_NAME if home else None


def _in_users_folder(path: Path | None) -> StoreChoice:
    if path is None:
        raise FixConfiguration("no home folder is known to keep a store in; name one with --store")
    return StoreChoice(location=str(path), why="the user's data folder")

"""The owner of a configuration, or of a store, that was found: nobody else's is read.

A folder that others may write to, as /tmp, needs no look of its own. Whoever puts a file there
owns it, and cannot give it away to us; nor is a file of ours that they move there written by them.
"""

import os
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Final

from vpemetrics.errors import FixConfiguration

# What Docker and Podman leave in every container: https://docs.podman.io/en/latest/markdown/podman-run.1.html
CONTAINER_MARKS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"))


def check_permissions(path: Path, opened: os.stat_result, environ: Mapping[str, str]) -> None:
    """Refuse a file, as it was opened, that others wrote or may write: FixConfiguration.

    Where the system knows no owners nothing is refused.
    """
    if (found := _hand_of_others(path, opened, environ)) is None:
        return
    why, command = found
    raise FixConfiguration(
        f"{path} {why}, so it is not read: it could have your secrets sent away\n"
        f"If all of it is as you want it: {command}\n"
        f"or name it: --config {quote(str(path))}; a vpemetrics.toml of your own nearer by counts "
        "instead"
    )


def check_store_permissions(store: Path, environ: Mapping[str, str]) -> None:
    """Refuse a store that nobody named and that others wrote or may write: FixConfiguration."""
    from vpemetrics.store.side_files import side_files

    for path in (store, *side_files(store)):
        with suppress(OSError):  # nothing is there, or opening it says why not
            if found := _hand_of_others(path, path.stat(), environ):
                why, command = found
                raise FixConfiguration(
                    f"{path} {why}, so this store is not opened: anything could stand in it\n"
                    f"If all of it is as you want it: {command}\n"
                    f"or name it: --store {quote(str(store))}"
                )


def _hand_of_others(
    path: Path, opened: os.stat_result, environ: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return how others had or have a hand in a file, and the command that ends it."""
    if not hasattr(os, "geteuid"):
        return None
    owners = _trusted_owners(path, environ)
    # A link is its maker's, whoever owns what it leads to.
    stranger = _stranger(owners, (path.lstat(), opened))
    if stranger is not None:
        return f"belongs to {_name(stranger)}", f"chown {_name(os.geteuid())} {quote(str(path))}"
    if others := _writers(opened):
        return f"can be written by {others}", f"chmod go-w {quote(str(path))}"
    return None


def _trusted_owners(path: Path, environ: Mapping[str, str]) -> set[int]:
    """The user, root, and whoever owns the work tree that a container was given."""
    user = os.geteuid()
    owners = {user, 0}
    # As git does: https://git-scm.com/docs/git-config (safe.directory)
    if user == 0 and environ.get("SUDO_UID", "").isdecimal():
        owners.add(int(environ["SUDO_UID"]))
    if any(mark.exists() for mark in CONTAINER_MARKS) and (tree := _work_tree(path)):
        owners.add(tree.stat().st_uid)
    return owners


def _work_tree(path: Path) -> Path | None:
    return next((folder for folder in path.parents if (folder / ".git").exists()), None)


def _stranger(owners: Collection[int], files: Collection[os.stat_result]) -> int | None:
    return next((file.st_uid for file in files if file.st_uid not in owners), None)


def _writers(file: os.stat_result) -> str | None:
    """The others who may write to a file; None if nobody may."""
    if file.st_mode & stat.S_IWOTH:
        return "everybody"
    if file.st_mode & stat.S_IWGRP and not _is_own_group(file.st_uid, file.st_gid):
        return f"the group {_group_name(file.st_gid)}"
    return None


def _is_own_group(user: int, group: int) -> bool:
    """True of a group of the same name that nobody else is in, as many systems give every user.

    https://wiki.debian.org/UserPrivateGroups
    """
    import grp
    import pwd

    try:
        name, entry = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:  # of which nobody knows more than the numbers, as in containers
        return user == group
    return entry.gr_name == name and {*entry.gr_mem} <= {name}


def _name(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _group_name(group: int) -> str:
    import grp

    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)

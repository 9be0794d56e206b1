"""Files: whatever is written goes through here, and is replaced whole or stays as it was.

What a link leads to is replaced, and the link stays; a device or a pipe is written to. Neither
where somebody else laid it into a folder that others may write to, as `/tmp` is.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG, S_IWGRP, S_IWOTH
from typing import BinaryIO, Final

from vpemetrics.errors import FixInput

NAMED: Final = 0o666
"""The permissions of a file that a person named: less what the user's mask takes away."""

PRIVATE: Final = 0o600
"""The permissions of a file that we name: the user's alone."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_MOST_LINKS: Final = 40
_UNFINISHED: Final = re.compile(r"\.unfinished-[0-9a-f]{16}")
_ABANDONED_S: Final = 3_600


def write(path: Path, content: bytes, permissions: int = NAMED) -> None:
    """Write a file, all of it or nothing: whoever reads it meanwhile sees the old one whole.

    One that is there keeps its permissions; a new one gets those given, less the user's mask.
    """
    with replace(path, permissions) as file:
        file.write(content)


@contextmanager
def replace(path: Path, permissions: int = NAMED) -> Iterator[BinaryIO]:
    """A file to be written as by `write`, which takes the place of the old one at the end."""
    if not path.parent.is_dir():
        raise FixInput(f"{path}: there is no folder {path.parent} to write it in")
    if path.exists() and not path.is_file():
        _check_owner(path)
        with path.open("wb") as device:
            yield device
        return
    target = follow(path)
    unfinished = target.with_name(f".unfinished-{token_hex(8)}")
    try:
        with _create(unfinished, permissions, like=target) as file:
            yield file
        # At once for everybody: https://docs.python.org/3/library/os.html#os.replace
        os.replace(unfinished, target)
        _remove_abandoned(target)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and _is_of(error, unfinished):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def read_beginning(path: Path, most: int) -> bytes:
    """The first bytes of a file that somebody else may have made; none of a pipe or a device.

    There are none either where there is no file.
    """
    try:
        # A pipe is opened without waiting for who writes to it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return b""
    try:
        if not S_ISREG(os.fstat(handle).st_mode):
            return b""
        with open(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)


def create(path: Path) -> None:
    """Make an empty file that is the user's alone, and its folders; leave one that is there."""
    make_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    except FileExistsError:
        return


def make_folder(path: Path) -> None:
    """Make a folder that is the user's alone, and those above it that are not there."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)


def readers_of(folder: Path) -> int:
    """The permissions of a file for those who may read its folder, and nobody else."""
    return PRIVATE | folder.stat().st_mode & 0o044


def unused(path: Path) -> Path:
    """The path, or the first after it that nothing is at: `a.csv`, `a-2.csv` and so on."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(free for free in chain([path], numbered) if not os.path.lexists(free))


def follow(path: Path) -> Path:
    """The path that links lead to, whether anything is there or not.

    FixInput where a link of somebody else, in a folder that others may write to, would decide.
    """
    absolute = path.absolute()
    found = Path(absolute.anchor)
    ahead = list(reversed(absolute.parts[1:]))
    links = 0
    while ahead:
        name = ahead.pop()
        step = found.parent if name == ".." else found / name
        if not step.is_symlink():
            found = step
            continue
        _check_owner(step)
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = Path(os.readlink(step))
        if target.is_absolute():
            found = Path(target.anchor)
        ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return found


def _check_owner(path: Path) -> None:
    """Refuse what somebody else put into a folder that others may write to.

    As Linux does (https://docs.kernel.org/admin-guide/sysctl/fs.html#protected-symlinks), and for
    folders without the sticky bit too.
    """
    if not hasattr(os, "geteuid"):  # a system that knows no owners
        return
    is_shared = path.parent.stat().st_mode & (S_IWGRP | S_IWOTH)
    if is_shared and path.lstat().st_uid not in (0, os.geteuid()):
        raise FixInput(
            f"{path} was put there by somebody else, in a folder that others may write to; "
            "it was left as it is. Name a file in a folder of yours"
        )


def _remove_abandoned(written: Path) -> None:
    """Remove what was left beside a file by processes of this user that were killed.

    It counts for how long nothing was written to it, by the clock of the disk.
    """
    with suppress(OSError), os.scandir(written.parent) as entries:
        now = written.lstat().st_mtime
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name):
                status = entry.stat(follow_symlinks=False)
                is_ours = S_ISREG(status.st_mode) and _is_own(status)
                if is_ours and now - status.st_mtime > _ABANDONED_S:
                    os.unlink(entry.path)


def _is_own(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


@contextmanager
def _create(new: Path, permissions: int, *, like: Path) -> Iterator[BinaryIO]:
    """Make a file with the permissions of another; without that, with those given."""
    handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, permissions)
    with open(handle, "wb") as file:
        if like.exists():
            new.chmod(like.stat().st_mode & 0o777)
        yield file


def _is_of(error: OSError, unfinished: Path) -> bool:
    """Tell whether an error comes from writing the file, and not from what was to be written."""
    return error.filename == str(unfinished) or (error.filename is None and error.errno in _NO_ROOM)

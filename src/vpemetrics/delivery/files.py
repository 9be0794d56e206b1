"""Reports and charts in files: each is replaced whole, or stays as it was.

What a link leads to is replaced, and the link stays; a device or a pipe is written to.
"""

import os
from pathlib import Path
from secrets import token_hex

from vpemetrics.errors import FixInput


def write(path: Path, content: bytes) -> None:
    """Write a file, all of it or nothing: whoever reads it meanwhile sees the old one whole."""
    if not path.parent.is_dir():
        raise FixInput(f"{path}: there is no folder {path.parent} to write it in")
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    target = path.resolve()
    unfinished = target.with_name(f".{target.name}.{token_hex(4)}")
    try:
        _fill(unfinished, content, like=target)
        # At once for everybody: https://docs.python.org/3/library/os.html#os.replace
        os.replace(unfinished, target)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(unfinished)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _fill(new: Path, content: bytes, *, like: Path) -> None:
    """Make a file with the permissions of another; without that, those of the user's mask."""
    with new.open("xb") as file:
        file.write(content)
    if like.exists():
        new.chmod(like.stat().st_mode & 0o777)

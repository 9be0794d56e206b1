"""A bug's traces: a log that can be attached to a report, and what is said on stderr."""

import platform
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from vpemetrics import __version__

_LONGEST = 200


def keep(error: BaseException, environ: Mapping[str, str]) -> Path:
    """The log of an error, in the user's folder for the state of programs."""
    from vpemetrics.files import PRIVATE, make_folder, unused, write
    from vpemetrics.folders import state_home

    home = state_home(environ)
    folder = home / "vpemetrics" if home else Path(mkdtemp(prefix="vpemetrics-"))
    make_folder(folder)
    path = unused(folder / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.log")
    write(path, log(error).encode(errors="replace"), PRIVATE)
    return path


def log(error: BaseException) -> str:
    """The place in the code where it happened, and versions; fit for a public report.

    What the errors say is left out: it may quote records, addresses or passwords.
    """
    parts = [f"vpemetrics {__version__}, Python {sys.version}, {platform.platform()}"]
    for cause in _chain(error):
        frames = traceback.format_list(traceback.extract_tb(cause.__traceback__))
        parts.append("".join([f"{type(cause).__module__}.{type(cause).__qualname__}\n", *frames]))
    return "\n\n".join(parts)


def message(error: BaseException, path: Path) -> str:
    """The words for the person: what happened, without secrets, and what to do about it."""
    from vpemetrics.config.secrets import mask

    said = mask(" ".join(str(error).split()))[:_LONGEST]
    return (
        f"this is a bug in vpemetrics: {type(error).__name__}: {said}\n"
        f"A log without your data is in {path}; please report it with that file."
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and the errors it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

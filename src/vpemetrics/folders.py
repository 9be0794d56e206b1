"""The folders of the user (XDG base directories), and paths as people write them.

https://specifications.freedesktop.org/basedir-spec/latest/
"""

from collections.abc import Mapping
from pathlib import Path

from vpemetrics.errors import FixConfiguration


def locate(folder: Path, path: str) -> Path:
    """The place of a path that a person wrote, relative to a folder; `~` is the user's home."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:
        raise FixConfiguration(f"{path}: no home folder of that name is known") from None


def config_home(environ: Mapping[str, str]) -> Path | None:
    """The folder of the user's configurations: `$XDG_CONFIG_HOME`, else `~/.config`."""
    return _absolute(environ, "XDG_CONFIG_HOME") or _in_home(environ, ".config")


def data_home(environ: Mapping[str, str]) -> Path | None:
    """The folder of the user's data: `$XDG_DATA_HOME`, else `~/.local/share`."""
    return _absolute(environ, "XDG_DATA_HOME") or _in_home(environ, ".local/share")


def state_home(environ: Mapping[str, str]) -> Path | None:
    """The folder of what programs did: `$XDG_STATE_HOME`, else `~/.local/state`."""
    return _absolute(environ, "XDG_STATE_HOME") or _in_home(environ, ".local/state")


def cache_home(environ: Mapping[str, str]) -> Path | None:
    """The folder of what can be made anew: `$XDG_CACHE_HOME`, else `~/.cache`."""
    return _absolute(environ, "XDG_CACHE_HOME") or _in_home(environ, ".cache")


def _in_home(environ: Mapping[str, str], folder: str) -> Path | None:
    home = _absolute(environ, "HOME") or _absolute(environ, "USERPROFILE")
    return home / folder if home else None


def _absolute(environ: Mapping[str, str], name: str) -> Path | None:
    """The folder a variable names; a relative one is to be ignored, says the specification."""
    folder = Path(environ.get(name) or ".")
    return folder if folder.is_absolute() else None

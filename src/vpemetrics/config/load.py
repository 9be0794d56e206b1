"""The configuration that is in force: found, read, checked as a whole.

`find` says which file, `load` reads it; without a file everything has its default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from os.path import isfile
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from vpemetrics.collectors.sizes import size_text
from vpemetrics.config.checks import contradictions
from vpemetrics.config.environment import misnamed_settings, override, variable
from vpemetrics.config.lines import KeyPath, Lines
from vpemetrics.config.messages import Mistake, dotted_name, of_validation
from vpemetrics.config.model import Settings
from vpemetrics.config.permissions import check_permissions
from vpemetrics.config.source_checks import source_mistakes
from vpemetrics.errors import ConfigurationErrors, FixConfiguration
from vpemetrics.folders import config_home, locate
from vpemetrics.rules import Rules

FILE_NAME: Final = "vpemetrics.toml"

_MOST_BYTES: Final = 1 << 20
_MOST_MISTAKES: Final = 100
_MOST_PARTS: Final = 20
_WORD: Final = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_ENDLESS_KEY: Final = re.compile(
    rf"(?:^|[{{,])[ \t]*+\[{{0,2}}[ \t]*+{_WORD}(?:[ \t]*+\.[ \t]*+{_WORD}){{{_MOST_PARTS}}}",
    re.MULTILINE,
)

PermissionsCheck = Callable[[Path, os.stat_result, Mapping[str, str]], None]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings in force, and the file they are from (None: there is none).

    `from_environment` names the settings that a variable decides. One that `is_found` was come
    upon in the folders above, by no word of a person: what it sends anywhere takes trust.
    """

    path: Path | None
    settings: Settings
    from_environment: tuple[str, ...] = ()
    is_found: bool = False

    @property
    def found_in(self) -> Path | None:
        """The file, if no person named it."""
        return self.path if self.is_found else None

    def locate(self, path: str) -> Path:
        """The place of a path in the settings, which starts at the file; `~` is the user's home."""
        return locate(self.path.parent if self.path else Path(), path)

    def rules(self) -> Rules:
        """The rules that lineage and metrics take."""
        rules = self.settings.rules()
        if rules.reliability is None:
            return rules
        return replace(rules, reliability=str(self.locate(rules.reliability)))


def find(start: Path, explicit: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file to use; None if there is none.

    The one asked for; else the nearest `vpemetrics.toml` upward from `start` (absolute);
    else `$XDG_CONFIG_HOME/vpemetrics/vpemetrics.toml`.
    """
    if explicit is not None:
        return _asked_for(explicit)
    own = _of_user(environ)
    files = [folder / FILE_NAME for folder in (start, *start.parents)] + ([own] if own else [])
    return next((file for file in files if isfile(file)), None)


def load_found(path: Path | None, environ: Mapping[str, str]) -> Configuration:
    """The configuration of a file that nobody named; FixConfiguration if it is somebody else's.

    The one in the user's folder of configurations is their own, and so it is not `is_found`.
    """
    text = _read(path, environ, check_permissions) if path else ""
    configuration = check(path, text, environ)
    return replace(configuration, is_found=path not in (None, _of_user(environ)))


def load(path: Path | None, environ: Mapping[str, str]) -> Configuration:
    """The configuration of a file and the environment.

    ConfigurationErrors names all mistakes at once, in the order of the file.
    """
    return check(path, _read(path, environ) if path else "", environ)


def check(path: Path | None, text: str, environ: Mapping[str, str]) -> Configuration:
    """The configuration that a text would be as a file, there already or not."""
    document, given = override(_parse(path, text), environ)
    mistakes = list(islice(_mistakes(document), _MOST_MISTAKES))
    strangers = [f"environment: {message}" for message in misnamed_settings(document, environ)]
    if mistakes or strangers:
        raise ConfigurationErrors([*_lines(path, text, mistakes, given), *strangers])
    settings = Settings.model_validate(document)
    return Configuration(path=path, settings=settings, from_environment=given)


def _mistakes(document: dict[str, Any]) -> Iterator[Mistake]:
    yield from contradictions(document)
    yield from source_mistakes(document)
    try:
        Settings.model_validate(document)
    except ValidationError as error:
        yield from of_validation(error)


def _asked_for(path: Path) -> Path:
    if isfile(path):
        return path
    raise FixConfiguration(f"{path}: there is no such configuration file")


def _of_user(environ: Mapping[str, str]) -> Path | None:
    home = config_home(environ)
    return home / "vpemetrics" / FILE_NAME if home else None


def _read(
    path: Path, environ: Mapping[str, str], permissions: PermissionsCheck | None = None
) -> str:
    try:
        with path.open("rb") as file:
            if permissions:  # the very file that is read
                permissions(path, os.fstat(file.fileno()), environ)
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FixConfiguration(f"{path}: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise FixConfiguration(f"{path}: no configuration is larger than {size_text(_MOST_BYTES)}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationErrors([f"{path}:{line}: not UTF-8; save the file as UTF-8"]) from error


def _parse(path: Path | None, text: str) -> dict[str, Any]:
    # `tomllib` takes a time that grows with the square of the parts of a key.
    if _ENDLESS_KEY.search(text):
        raise _too_deep(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, line = _syntax(str(error), text)
        raise ConfigurationErrors([f"{path}:{line}: not valid TOML: {what}"]) from error
    except (
        ValueError
    ) as error:  # https://docs.python.org/3/library/sys.html#sys.set_int_max_str_digits
        raise ConfigurationErrors([f"{path}: a number has too many digits"]) from error
    except RecursionError:
        raise _too_deep(path) from None
    if _is_deeper(document, _MOST_PARTS):
        raise _too_deep(path)
    return document


def _too_deep(path: Path | None) -> ConfigurationErrors:
    return ConfigurationErrors([f"{path}: nested too deeply to be a configuration"])


def _is_deeper(document: dict[str, Any], most: int) -> bool:
    """Tell whether more than so many tables and lists stand in each other."""
    level: list[Any] = [document]
    for _ in range(most):
        tables = [value.values() for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        level = list(chain.from_iterable((*tables, *lists)))
    return any(isinstance(value, dict | list) for value in level)


def _syntax(message: str, text: str) -> tuple[str, int]:
    """The complaint of `tomllib`, and the line, which it gives in words."""
    what, _, where = message.partition(" (at ")
    line = re.match(r"line (\d+)", where)
    return what, int(line[1]) if line else text.count("\n") + 1


def _lines(
    path: Path | None, text: str, mistakes: list[Mistake], given: tuple[str, ...]
) -> list[str]:
    """The first mistake of each place, behind it, in the order of the file, environment last."""
    lines = Lines(text)
    first: dict[KeyPath, Mistake] = {}
    for mistake in mistakes:
        first.setdefault(mistake.path, mistake)
    placed = []
    for mistake in first.values():
        name = dotted_name(mistake.path)
        if name in given:
            placed.append((float("inf"), f"environment: {variable(name)}: {mistake.problem}"))
            continue
        line = lines.of(mistake.path)
        place = f"{path}:{line}" if line else f"{path}"
        placed.append((line or 0, f"{place}: {name}: {mistake.problem}"))
    return [text for _, text in sorted(placed, key=lambda item: item[0])]

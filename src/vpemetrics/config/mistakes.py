"""Mistakes in a configuration, in the words of the person who mends it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vpemetrics.config.lines import KeyPath
from vpemetrics.config.model import header, settings, tables
from vpemetrics.config.nearest import nearest
from vpemetrics.config.secrets import HIDDEN, is_secret_key, masked

_LONGEST: Final = 60
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_EXPECTED: Final = {
    "string_type": "text in quotes",
    "string_too_short": "text that is not empty",
    "too_short": "at least one item",
    "date_type": "a date without quotes, as in 2026-03-31",
}


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """What is wrong at one place of the file."""

    path: KeyPath
    problem: str


def misfit(path: KeyPath, value: object, expected: str, near: str | None = None) -> Mistake:
    """A value that is not what it should be."""
    found = HIDDEN if is_secret_key(str(path[-1])) else shown(value)
    return Mistake(path=path, problem=f"found {found}, expected {expected}{_hint(near)}")


def of_validation(error: ValidationError) -> Iterator[Mistake]:
    """The mistakes pydantic found."""
    for details in error.errors(include_url=False, include_context=True):
        yield _of_details(details)


def dotted(path: KeyPath) -> str:
    """The place as people write it, tables of a list counted from one: `service[2].name`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{_key(part)}"
    return text.removeprefix(".")


def shown(value: object) -> str:
    """The value fit for a message: short, without secrets, as it stands in the file."""
    match value:
        case str():
            text = masked(value)
            short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
            return short if text == HIDDEN else json.dumps(short, ensure_ascii=False)
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case dict():
            return "a table"
        case list():
            return "a list"
    return str(value)


def _key(key: str) -> str:
    return masked(key) if _BARE_KEY.fullmatch(key) else shown(key)


def _of_details(details: ErrorDetails) -> Mistake:
    path, kind, value = details["loc"], details["type"], details["input"]
    match kind:
        case "missing":
            return Mistake(path=path, problem="missing")
        case "extra_forbidden":
            return _unknown_key(path)
        case "wrong":
            context = details["ctx"]
            return misfit(path, value, context["expected"], context["near"])
    return misfit(path, value, _EXPECTED.get(kind) or _expected_shape(path))


def _expected_shape(path: KeyPath) -> str:
    name = str(path[0])
    if name in tables() and all(isinstance(part, int) for part in path[1:]):
        return f"a table that begins with {header(name)}"
    if name in tables() and header(name) == f"[{name}.NAME]":
        return f"a table that begins with [{dotted(path)}]"
    return 'a list, as in ["one", "two"]'


def _unknown_key(path: KeyPath) -> Mistake:
    """An unknown key, with the nearest one of its own table, else of any.

    Its value is not shown, for who knows what it holds.
    """
    table = ".".join(part for part in path[:-1] if isinstance(part, str))
    here = [name.rpartition(".")[2] for name in settings() if name.rpartition(".")[0] == table]
    here += [] if table else tables()
    anywhere = {name.rpartition(".")[2]: name for name in settings()}
    near = nearest(path[-1], here) or anywhere.get(nearest(path[-1], anywhere) or "")
    return Mistake(path=path, problem=f"unknown setting{_hint(near)}")


def _hint(near: str | None) -> str:
    return f"; did you mean {masked(near)}?" if near else ""

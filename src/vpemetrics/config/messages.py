"""Mistakes in a configuration, in the words of the person who mends it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vpemetrics.config.lines import KeyPath
from vpemetrics.config.model import header, settings, tables
from vpemetrics.config.secrets import HIDDEN, is_secret_key, mask
from vpemetrics.names import nearest

_LONGEST: Final = 60
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_EXPECTED: Final = {
    "string_type": "text in quotes",
    "path_type": "text in quotes",
    "tuple_type": 'a list, as in ["one", "two"]',
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "string_too_short": "text that is not empty",
    "too_short": "at least one item",
    "date_type": "a date without quotes, as in 2026-03-31",
}


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Something wrong at one place of the file."""

    path: KeyPath
    problem: str


def misfit(path: KeyPath, value: object, expected: str, near: str | None = None) -> Mistake:
    """A value that is not what it should be."""
    found = HIDDEN if is_secret_key(str(path[-1])) else quote(value)
    return Mistake(path=path, problem=f"found {found}, expected {expected}{_hint(near)}")


def unknown_setting(path: KeyPath, near: str | None, known: Iterable[str] = ()) -> Mistake:
    """A setting there is not; its value is not shown, for who knows what it holds.

    Where none is near, those that are `known` are listed.
    """
    valid = "" if near else ", ".join(known)
    return Mistake(
        path=path, problem=f"unknown setting{f'; valid are {valid}' if valid else _hint(near)}"
    )


def of_validation(error: ValidationError, path: KeyPath = ()) -> Iterator[Mistake]:
    """The mistakes pydantic found in what stands at a path."""
    for details in error.errors(include_url=False):
        yield _of_details((*path, *details["loc"]), details)


def dotted_name(path: KeyPath) -> str:
    """The place as people write it, tables of a list counted from one: `service[2].name`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{_key(part)}"
    return text.removeprefix(".")


def quote(value: object) -> str:
    """The value fit for a message: short, without secrets, as it stands in the file."""
    match value:
        case str():
            text = mask(value)
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
    return mask(key) if _BARE_KEY.fullmatch(key) else quote(key)


def _of_details(path: KeyPath, details: ErrorDetails) -> Mistake:
    kind, value = details["type"], details["input"]
    match kind:
        case "missing":
            return Mistake(path=path, problem="missing")
        case "extra_forbidden":
            return _unknown_key(path)
        case "unexpected_keyword_argument":
            return unknown_setting(path, None)
        case "wrong":
            context = details["ctx"]
            return misfit(path, value, context["expected"], context["near"])
        case "literal_error":
            return _no_choice(path, value, details["ctx"]["expected"])
        case "value_error":
            return Mistake(path=path, problem=str(details["ctx"]["error"]))
        case "model_type" | "dict_type":
            return misfit(path, value, _table_at(path))
        case "tuple_type" if path[0] in tables() and len(path) == 1:
            return misfit(path, value, _table_at(path))
    return misfit(path, value, _EXPECTED.get(kind) or _plainly(details["msg"]))


def _no_choice(path: KeyPath, value: object, expected: str) -> Mistake:
    """A value that is none of a few; pydantic names them in quotes."""
    choices = re.findall(r"'([^']*)'", expected)
    return misfit(path, value, f"one of {', '.join(choices)}", nearest(value, choices))


def _plainly(message: str) -> str:
    """The expectation of pydantic, without its own beginning of the sentence."""
    return message.removeprefix("Input should be ")


def _table_at(path: KeyPath) -> str:
    names = tuple(part for part in path if isinstance(part, str))
    begin = header(names[0]) if len(names) == 1 else f"[{dotted_name(names)}]"
    return f"a table that begins with {begin}"


def _unknown_key(path: KeyPath) -> Mistake:
    """An unknown key, with the nearest one of its own table, else of any."""
    table = ".".join(part for part in path[:-1] if isinstance(part, str))
    here = [name.rpartition(".")[2] for name in settings() if name.rpartition(".")[0] == table]
    here += [] if table else tables()
    anywhere = {name.rpartition(".")[2]: name for name in settings()}
    elsewhere = anywhere.get(nearest(path[-1], anywhere) or "")
    return unknown_setting(path, nearest(path[-1], here) or elsewhere)


def _hint(near: str | None) -> str:
    return f"; did you mean {mask(near)}?" if near else ""

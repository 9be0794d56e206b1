"""What stands in a cell: each field of a record as text in CSV, as a value in JSON.

The record types decide: their fields are the columns, and a field's type says how it is
written. The same value always gives the same text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, get_args, get_type_hints

from vpemetrics.records import RECORD_TYPES, AnyRecord
from vpemetrics.window import format_instant, parse_instant

SOURCE = "source"

_FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}").fullmatch
_SHORT_SHA = re.compile(r"[0-9a-f]{7,64}").fullmatch
_NUMBER = re.compile(r"-?[0-9]{1,18}").fullmatch
_LIST_ITEM = re.compile(r"(?:[^;\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r"([;\\])")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_LARGEST = 10**18

FULL_SHAS = {"sha", "commit_sha", "merge_commit_sha", "reverts_sha", "picked_from_sha"}
SHA_LISTS = {"parents", "commit_shas"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column: its name, and how its values are read and written.

    `read` takes the text of a cell that is not empty, `from_json` a value that is not null;
    both raise ValueError with what was expected. `write` and `to_json` take a known value.
    `empty_is_known` where an empty list says more than that nothing is known.
    """

    name: str
    required: bool
    empty_is_known: bool
    read: Callable[[str], Any]
    from_json: Callable[[Any], Any]
    write: Callable[[Any], str]
    to_json: Callable[[Any], Any]


def nearest(name: str, valid: Sequence[str]) -> str:
    """` (did you mean …?)` with the most similar valid name, or nothing."""
    close = get_close_matches(name, valid, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def read_truth(text: str) -> bool:
    """True or false from `true`, `false`, `1` or `0`."""
    truth = _TRUTHS.get(text.lower())
    if truth is None:
        raise ValueError(f"expected true or false, found {text!r}")
    return truth


def read_number(text: str) -> int:
    """An integer from decimal digits."""
    if not _NUMBER(text):
        raise ValueError(f"expected a whole number, found {text!r}")
    return int(text)


def read_instant(text: str) -> datetime:
    """A moment in UTC from ISO-8601 with a zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is UTC else parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(_what_is_wrong(text, error)) from None


def _what_is_wrong(text: str, error: Exception) -> str:
    if "zone" in str(error):
        return str(error)
    return f"expected a time like 2026-09-01T12:00:00Z, found {text!r}"


def read_sha(text: str) -> str:
    """A whole commit id, in lower case."""
    sha = text.lower()
    if not _FULL_SHA(sha):
        raise ValueError(
            f"expected a whole commit id (40 or 64 hexadecimal digits), found {text!r}"
        )
    return sha


def read_short_sha(text: str) -> str:
    """A commit id that may be cut short, in lower case."""
    sha = text.lower()
    if not _SHORT_SHA(sha):
        raise ValueError(f"expected a commit id (7 to 64 hexadecimal digits), found {text!r}")
    return sha


def read_shas(text: str) -> tuple[str, ...]:
    """Whole commit ids with spaces between them."""
    return tuple(map(read_sha, text.split()))


def read_list(text: str) -> tuple[str, ...]:
    r"""Texts with `;` between them; `\;` and `\\` stand for themselves, a lone `;` for none."""
    if "\\" not in text:
        return tuple(filter(None, text.split(";")))
    if len(text) - len(text.rstrip("\\")) & 1:
        raise ValueError(f"ends in a backslash that escapes nothing: {text!r}")
    return tuple(_ESCAPED.sub(r"\1", item) for item in _LIST_ITEM.findall(text))


def write_list(items: Sequence[str]) -> str:
    """The text `read_list` reads; empty items say nothing and are left out."""
    return ";".join(_TO_ESCAPE.sub(r"\\\1", item) for item in items if item) or ";"


def _choice(enum: type[StrEnum]) -> Callable[[str], StrEnum]:
    members = {member.value: member for member in enum}

    def read(text: str) -> StrEnum:
        if text not in members:
            valid = ", ".join(members)
            raise ValueError(f"found {text!r}{nearest(text, list(members))}; valid are {valid}")
        return members[text]

    return read


def _same(value: Any) -> Any:
    return value


def _json_text(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    def from_json(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"expected a text, found {value!r}")
        return read(value)

    return from_json


def _json_truth(value: Any) -> bool:
    return value if isinstance(value, bool) else read_truth(str(value))


def _json_number(value: Any) -> int:
    if type(value) is not int or abs(value) >= _LARGEST:
        raise ValueError(f"expected a whole number, found {value!r}")
    return value


def _json_list(read: Callable[[str], str]) -> Callable[[Any], tuple[str, ...]]:
    def from_json(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"expected a list of texts, found {value!r}")
        return tuple(read(item) for item in value if item)

    return from_json


def _field(name: str, type_: Any, *, required: bool) -> Field:
    types = set(get_args(type_)) - {type(None)} or {type_}
    (plain,) = types if not _is_tuple(type_) else (tuple,)
    read, from_json, write, to_json = _manners(name, plain)
    return Field(
        name=name,
        required=required,
        empty_is_known=plain is tuple and type(None) in get_args(type_),
        read=read,
        from_json=from_json,
        write=write,
        to_json=to_json,
    )


def _is_tuple(type_: Any) -> bool:
    return "tuple[" in str(type_)


Manners = tuple[
    Callable[[str], Any], Callable[[Any], Any], Callable[[Any], str], Callable[[Any], Any]
]


def _manners(name: str, plain: Any) -> Manners:
    """How a field is read from a cell and from JSON, and written to either."""
    if name in SHA_LISTS:
        return read_shas, _json_list(read_sha), " ".join, list
    if plain is tuple:
        return read_list, _json_list(_same), write_list, lambda items: [i for i in items if i]
    if plain is datetime:
        return read_instant, _json_text(read_instant), format_instant, format_instant
    if plain is bool:
        return read_truth, _json_truth, lambda truth: "true" if truth else "false", _same
    if plain is int:
        return read_number, _json_number, str, _same
    read = _text_reader(name, plain)
    return read, _json_text(read), str, str


def _text_reader(name: str, plain: Any) -> Callable[[str], Any]:
    if issubclass(plain, StrEnum):
        return _choice(plain)
    if name in FULL_SHAS:
        return read_sha
    return read_short_sha if name == "cause_sha" else _same


def _fields(record: type[AnyRecord]) -> tuple[Field, ...]:
    types = get_type_hints(record)
    return tuple(
        _field(field.name, types[field.name], required=field.default is MISSING)
        for field in fields(record)
        if field.name != SOURCE
    )


FIELDS: dict[str, tuple[Field, ...]] = {
    kind: _fields(record) for kind, record in RECORD_TYPES.items()
}
"""The columns of each kind's file, in order, without the leading `source`."""

"""What stands in a cell: each field of a record as text in CSV, as a value in JSON.

The record types decide: their fields are the columns, and a field's type says how it is
written. The same value always gives the same text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Any, get_args, get_type_hints

from vpemetrics import names
from vpemetrics.records import RECORD_TYPES, AnyRecord
from vpemetrics.window import format_instant, parse_instant

SOURCE = "source"

_FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}").fullmatch
_SHORT_SHA = re.compile(r"[0-9a-f]{7,64}").fullmatch
_HEXADECIMAL = re.compile(r"[0-9a-f]*").fullmatch
_NUMBER = re.compile(r"-?[0-9]{1,18}").fullmatch
_LIST_ITEM = re.compile(r"(?:[^;\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r"([;\\])")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_PLAIN_TRUTHS = {"": None, "true": True, "false": False}
_LARGEST = 10**18

FULL_SHAS = {"sha", "commit_sha", "merge_commit_sha", "reverts_sha", "picked_from_sha"}
SHA_LISTS = {"parents", "commit_shas"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column: its name, and how its values are read and written.

    `read` takes the text of a cell that is not empty, `from_json` a value that is not null;
    both raise ValueError with what was expected. `write` and `to_json` take a known value.
    `read_all` reads a column of cells, empty ones too, in less time than `read` one by one.
    `default` stands for an empty cell; `empty_is_known` where an empty list says more.
    """

    name: str
    required: bool
    default: Any
    empty_is_known: bool
    read: Callable[[str], Any]
    read_all: Callable[[Sequence[str]], list[Any]]
    from_json: Callable[[Any], Any]
    write: Callable[[Any], str]
    to_json: Callable[[Any], Any]

    def cell(self, value: Any) -> str:
        """The text of any value; nothing for an unknown one."""
        return "" if self.is_unknown(value) else self.write(value)

    def is_unknown(self, value: Any) -> bool:
        """Whether a value says nothing; an empty list may say that there was none."""
        return value is None or (value == () and not self.empty_is_known)


def nearest(name: str, valid: Sequence[str]) -> str:
    """` (did you mean …?)` with the most similar valid name, or nothing."""
    close = names.nearest(name, valid)
    return f" (did you mean {close}?)" if close else ""


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


def _column_reader(
    read: Callable[[str], Any], default: Any
) -> Callable[[Sequence[str]], list[Any]]:
    def read_each(texts: Sequence[str]) -> list[Any]:
        return [read(text) if text else default for text in texts]

    quick = _QUICKER.get(read)
    if quick is None:
        return read_each
    return lambda texts: quick(texts) or read_each(texts)


def _same_texts(texts: Sequence[str]) -> list[Any]:
    return [text or None for text in texts]


def _plain_truths(texts: Sequence[str]) -> list[Any] | None:
    """The truths, if all are spelled in lower case or unknown."""
    if not _PLAIN_TRUTHS.keys() >= set(texts):
        return None
    return [_PLAIN_TRUTHS[text] for text in texts]


def _plain_shas(texts: Sequence[str]) -> list[Any] | None:
    """The commit ids, if all are whole and in lower case or unknown."""
    return _same_texts(texts) if _are_whole(texts) else None


def _plain_sha_lists(texts: Sequence[str]) -> list[Any] | None:
    """The lists of commit ids, if all are whole and in lower case."""
    lists = [tuple(text.split()) for text in texts]
    return lists if _are_whole(list(chain.from_iterable(lists))) else None


def _are_whole(shas: Sequence[str]) -> bool:
    return {0, 40, 64}.issuperset(map(len, shas)) and _HEXADECIMAL("".join(shas)) is not None


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


def _field(name: str, type_: Any, default: Any) -> Field:
    types = set(get_args(type_)) - {type(None)} or {type_}
    (plain,) = types if not _is_tuple(type_) else (tuple,)
    read, from_json, write, to_json = _manners(name, plain)
    required = default is MISSING
    default = None if required else default
    return Field(
        name=name,
        required=required,
        default=default,
        empty_is_known=plain is tuple and default is None,
        read=read,
        read_all=_column_reader(read, default),
        from_json=from_json,
        write=write,
        to_json=to_json,
    )


def _is_tuple(type_: Any) -> bool:
    return "tuple[" in str(type_)


# What reads a whole column at once where it is plainly written, or says None where it is not.
_QUICKER: dict[Callable[[str], Any], Callable[[Sequence[str]], list[Any] | None]] = {
    _same: _same_texts,
    read_truth: _plain_truths,
    read_sha: _plain_shas,
    read_shas: _plain_sha_lists,
}

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
        _field(field.name, types[field.name], field.default)
        for field in fields(record)
        if field.name != SOURCE
    )


FIELDS: dict[str, tuple[Field, ...]] = {
    kind: _fields(record) for kind, record in RECORD_TYPES.items()
}
"""The columns of each kind's file, in order, without the leading `source`."""

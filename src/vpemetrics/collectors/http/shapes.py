"""The shapes of what a server answers, checked where they enter.

`need` and `given` take a value out of an object and hold its kind; `part` and `parts` go into
what is inside. They raise Malformed, which says what is wrong and not yet where; `read_shape`
gives it the name of the thing (BadAnswer). Whoever reads a list leaves such a thing out, notes it
(`CollectionContext.leave_out`), asks for it again next time, and goes on with the rest.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache, partial
from pathlib import PurePath
from traceback import extract_tb
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from vpemetrics.collectors.http.errors import BadAnswer, SourceProblem
from vpemetrics.collectors.http.messages import Node, one_line
from vpemetrics.records import AnyRecord
from vpemetrics.window import parse_instant

Value = TypeVar("Value")

_KINDS: Final[Mapping[type, str]] = {
    NoneType: "null",
    bool: "true or false",
    int: "a number",
    float: "a number with a fraction",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "an object",
    datetime: "a time",
}
_LARGEST: Final = 2**53
"""Beyond it readers of JSON differ: https://www.rfc-editor.org/rfc/rfc8259#section-6."""
_LONGEST: Final = 600
_PROSE: Final = frozenset({"title", "url", "why"})
"""The texts of records that may be longer: nothing is looked up by them.

An index of PostgreSQL takes 2,700 bytes, which is 600 characters at worst:
https://www.postgresql.org/docs/current/btree.html
"""
_COMMITS: Final = frozenset({"sha", "parents", "commit_sha", "commit_shas", "merge_commit_sha"})
_SHA: Final = re.compile(r"[!-~]+")
_COUNT: Final = re.compile(r"(\d[\d,]*)\+?")
_NUMBERS: Final = ("number", "iid")
_IDS: Final = ("id", "node_id", "databaseId", "oid", "tagName", "name", "url")
_URLS: Final = ("url", "html_url", "web_url")
_NUMBERED: Final = re.compile(r"/(?:pull|issues|merge_requests)/(\d{1,9})$")
_SHOWN: Final = 80
_SEVERAL: Final = 5

_UNREADABLE: Final = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError
)  # fmt: skip


class Malformed(SourceProblem, ValueError):
    """One thing is not of the shape that its server documents; the text says what of it."""


def kind_of(value: object) -> str:
    """Return the words for what a value of JSON is, as in `a list`."""
    return _KINDS.get(type(value), type(value).__name__)


def given(node: Node, key: str, kind: type[Value]) -> Value | None:
    """Return what is at a key; None if there is nothing. Malformed if it is of another kind."""
    value = node.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise Malformed(f"has {kind_of(value)} as `{key}`, where {_KINDS[kind]} belongs")
    if kind is int and abs(value) > _LARGEST:  # type: ignore[arg-type]  # it is one
        raise Malformed(f"has a number beyond all bounds as `{key}`")
    return value


def need(node: Node, key: str, kind: type[Value]) -> Value:
    """Return what is at a key; Malformed if there is nothing, or of another kind."""
    value = given(node, key, kind)
    if value is None or value == "":
        raise Malformed(f"has no `{key}`")
    return value


def part(node: Node, key: str) -> Node:
    """Return the object at a key, an empty one if there is none."""
    return given(node, key, dict) or {}


def parts(node: Node, key: str) -> list[Node]:
    """Return the objects of the list at a key, without gaps; none if there is no list."""
    found = given(node, key, list) or []
    for item in found:
        if item is not None and not isinstance(item, dict):
            raise Malformed(f"has {kind_of(item)} in `{key}`, where an object belongs")
    return [item for item in found if item is not None]


def moment(node: Node, key: str) -> datetime | None:
    """Return the time at a key; None if there is none. Malformed if it is none of ISO 8601."""
    text = given(node, key, str)
    if not text:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise Malformed(f"has no time as `{key}`, but {one_line(text)[:_SHOWN]!r}") from None


def count(node: Node, key: str) -> int:
    """Return the number at a key, 0 if there is none; of `2,500+` the least that it is."""
    value = node.get(key)
    if isinstance(value, str) and (found := _COUNT.fullmatch(value)) and len(value) < _SHOWN:
        return int(found[1].replace(",", ""))
    return given(node, key, int) or 0


def as_object(value: object, what: str) -> Node:
    """Return an answer, or something in one, that has to be an object; Malformed if it is none."""
    if not isinstance(value, dict):
        raise Malformed(f"has {kind_of(value)} as {what}, where an object belongs")
    return value


def name_of(node: object, what: str, place: str) -> str:
    """Return the name of a thing by which a person finds it, as far as it has one.

    That is `acme/shop#12`, or `what` it is and in which `place`, as in `the deployment of acme/shop
    with id 7`.
    """
    if not isinstance(node, Mapping):
        return f"{what} of {place}"
    numbers = (*(node.get(key) for key in _NUMBERS), _number_in(node))
    number = next((number for number in numbers if type(number) is int), None)
    if number is not None:
        return f"{place}#{number}"
    ids = (node.get(key) for key in _IDS)
    id_ = next((id_ for id_ in ids if isinstance(id_, str | int) and id_), None)
    return f"{what} of {place}" + ("" if id_ is None else f" with id {one_line(str(id_))[:_SHOWN]}")


def _number_in(node: Node) -> int | None:
    urls = (node.get(key) for key in _URLS)
    found = (_NUMBERED.search(url) for url in urls if isinstance(url, str))
    return next((int(match[1]) for match in found if match), None)


def read_shape(read: Callable[[], Value], *, server: str, about: str) -> Value:
    """Return what is read of an answer; BadAnswer, with the name of what it is about, if it cannot.

    Errors of Python count as such too, as sources read what they are given: of these the text
    says where it was, so that a fault of ours can be found.
    """
    try:
        return read()
    except _UNREADABLE as error:
        why = _reason(error)
    raise BadAnswer(f"{server}'s answer about {about} {why}")


def read_items(
    items: Sequence[Node],
    read: Callable[[Node], Sequence[Value]],
    *,
    server: str,
    name: Callable[[object], str],
    leave_out: Callable[[str, str], None],
) -> tuple[list[Value], bool]:
    """Return what is read of the items of a page, and True if some of them had to be left out.

    BadAnswer if that is all of several.
    """
    found: list[Value] = []
    bad: dict[str, str] = {}
    for item in items:
        about = name(item)
        try:
            found += read_shape(partial(_read_item, read, item), server=server, about=about)
        except BadAnswer as problem:
            bad[about] = str(problem)
    check_not_all_bad(len(items), bad)
    for about, why in bad.items():
        leave_out(about, why)
    return found, bool(bad)


def _read_item(read: Callable[[Node], Sequence[Value]], item: object) -> Sequence[Value]:
    return read(as_object(item, "it"))


def check_not_all_bad(count: int, bad: Mapping[str, str]) -> None:
    """Raise BadAnswer if all of several things cannot be read: then it is not they that are odd."""
    if len(bad) == count >= _SEVERAL:
        reason = next(iter(bad.values()))
        raise BadAnswer(
            f"{reason}, and so it is with the {count - 1} others of its page; the server may be "
            "too old or too new for this version of vpemetrics"
        )


def check_record(record: AnyRecord) -> AnyRecord:
    """Return a record whose fields hold what they are for; Malformed if one does not."""
    cls: Any = type(record)
    for field in _fields(cls):
        value = getattr(record, field.name)
        if field.is_list and isinstance(value, tuple):
            for item in value:
                _check_value(field, item)
        else:
            _check_value(field, value)
    return record


class _Field(NamedTuple):
    """A field of a record, and the kinds of values it may have; of a list that of its items."""

    name: str
    kinds: tuple[type, ...]
    is_list: bool
    is_prose: bool


@lru_cache
def _fields(cls: type[AnyRecord]) -> Sequence[_Field]:
    return [_field(name, hint) for name, hint in get_type_hints(cls).items() if name != "KIND"]


def _field(name: str, hint: Any) -> _Field:
    hints = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    is_list = any(get_origin(kind) is tuple for kind in hints)
    kinds = tuple(str if get_origin(kind) is tuple else kind for kind in hints)
    return _Field(name, kinds, is_list, name in _PROSE)


def _check_value(field: _Field, value: object) -> None:
    fits = isinstance(value, field.kinds) and (type(value) is not bool or bool in field.kinds)
    if not fits:
        wanted = " or ".join(
            dict.fromkeys(_KINDS.get(kind, "one of some words") for kind in field.kinds)
        ).removesuffix(" or null")
        raise Malformed(f"makes {kind_of(value)} of the field {field.name}, which is {wanted}")
    if isinstance(value, Enum):
        return
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise Malformed(f"has a number beyond all bounds for the field {field.name}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise Malformed(f"has a time without a zone for the field {field.name}")
    if isinstance(value, str):
        _check_text(field, value)


def _check_text(field: _Field, text: str) -> None:
    if not field.is_prose and len(text) > _LONGEST:
        raise Malformed(f"has a text of {len(text):,} characters for the field {field.name}")
    if field.name in _COMMITS and not _SHA.fullmatch(text):
        raise Malformed(f"has no commit for the field {field.name}, but {text[:_SHOWN]!r}")


def _reason(error: Exception) -> str:
    if isinstance(error, Malformed):
        return str(error)
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return f"has no `{error.args[0]}`"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    frames = extract_tb(error.__traceback__)
    where = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = one_line(str(error))[:_SHOWN]
    return f"is not as it is documented ({type(error).__name__} in {where}: {text})"

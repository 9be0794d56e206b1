"""Cells into values by pydantic: a validator for each column, in CSV and in JSON.

Pydantic's core reads a list of cells in one call. A Python function is called only where the
core has no word for what a cell may hold.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as core

from vpemetrics.collectors.files.fields import FIELDS, IS_BOT, SOURCE, Field, nearest
from vpemetrics.window import parse_instant

Validate = Callable[[Sequence[Any]], list[Any]]

_OURS: Final = "vpemetrics"
"""The type of errors whose text says what was expected, and not yet what was found."""

_LARGEST: Final = 10**18
_LIST_ITEM: Final = re.compile(r"(?:[^;\\]|\\.)+", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SOURCE: Final = Field(name=SOURCE, required=False, default=None, type=str, empty_is_known=False)


@lru_cache
def column_validators(kind: str, *, json: bool) -> Mapping[str, Validate]:
    """The functions that read the cells of each column, `source` too; None is an empty cell.

    The cells are texts, or with `json` whatever JSON has. ValidationError if one is bad.
    """
    return {field.name: _validator(field, json=json) for field in (IS_BOT, *FIELDS[kind], _SOURCE)}


def reason(error: ValueError) -> str:
    """Say what is wrong with the first bad cell of a column."""
    if not isinstance(error, ValidationError):
        return str(error)
    detail = error.errors(include_url=False)[0]
    if detail["type"] == _OURS:
        return f"{detail['msg']}, found {detail['input']!r}"
    return str(detail["ctx"]["error"])


def read_instant(text: str) -> datetime:
    """A moment in UTC from ISO-8601 with a zone."""
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        if "zone" in str(error):
            raise
        raise ValueError(f"expected a time like 2026-09-01T12:00:00Z, found {text!r}") from None


def read_list(text: str) -> tuple[str, ...]:
    r"""Texts with `;` between them; `\;` and `\\` stand for themselves, a lone `;` for none."""
    if "\\" not in text:
        return tuple(filter(None, text.split(";")))
    if len(text) - len(text.rstrip("\\")) & 1:
        raise ValueError(f"ends in a backslash that escapes nothing: {text!r}")
    return tuple(_ESCAPED.sub(r"\1", item) for item in _LIST_ITEM.findall(text))


def _validator(field: Field, *, json: bool) -> Validate:
    schema = core.nullable_schema(_json_schema(field) if json else _text_schema(field))
    validate: Validate = SchemaValidator(core.list_schema(schema)).validate_python
    if field.default is None:
        return validate
    return lambda cells: [value or field.default for value in validate(cells)]


def _text_schema(field: Field) -> CoreSchema:
    """The schema of a cell that is not empty."""
    if field.type is tuple and field.holds_shas:
        return core.chain_schema([_function(str.split), _tuple_of(_sha_schema(field))])
    if field.type is tuple:
        return _function(read_list)
    if field.type is datetime:
        # Pydantic's own times have another zone object, and take a plain number for one.
        return _function(read_instant)
    if field.type is bool:
        return _truth_schema()
    if field.type is int:
        # Its integers may be written 1_000 or 1.0.
        digits = core.str_schema(pattern="^-?[0-9]{1,18}$")
        return _expecting("a whole number", core.chain_schema([digits, core.int_schema()]))
    if issubclass(field.type, StrEnum):
        return _function(_choice(field.type))
    return _sha_schema(field) if field.holds_shas else core.str_schema()


def _json_schema(field: Field) -> CoreSchema:
    """The schema of a value that is neither null nor an empty text."""
    if field.type is tuple:
        several: CoreSchema = core.list_schema(core.str_schema(strict=True), strict=True)
        if field.name == "reverts_sha":  # a text while it held one only
            one = core.chain_schema([core.str_schema(strict=True), _function(str.split)])
            several = _first_of(several, one)
        item = _sha_schema(field) if field.holds_shas else core.str_schema()
        return core.chain_schema(
            [_expecting("a list of texts", several), _function(_not_empty), _tuple_of(item)]
        )
    if field.type is bool:
        return _expecting(
            "true or false", _first_of(core.bool_schema(strict=True), _truth_schema())
        )
    if field.type is int:
        number = core.int_schema(strict=True, gt=-_LARGEST, lt=_LARGEST)
        return _expecting("a whole number", number)
    text = _expecting("a text", core.str_schema(strict=True))
    return core.chain_schema([text, _text_schema(field)])


def _truth_schema() -> CoreSchema:
    # Pydantic's truths may also be written y, no, on or f.
    word = core.str_schema(pattern="^(?i:true|false|1|0)$", coerce_numbers_to_str=True)
    return _expecting("true or false", core.chain_schema([word, core.bool_schema()]))


def _sha_schema(field: Field) -> CoreSchema:
    """A commit id, into lower case; nearly all are, and to leave them alone takes half the time."""
    digits, what = "{40}|[0-9a-f]{64}", "a whole commit id (40 or 64 hexadecimal digits)"
    if field.name == "cause_sha":
        digits, what = "{7,64}", "a commit id (7 to 64 hexadecimal digits)"
    pattern = f"^(?:[0-9a-f]{digits})$"
    lower = core.str_schema(pattern=pattern)
    upper = core.str_schema(pattern=f"(?i){pattern}", to_lower=True)
    return _expecting(what, _first_of(lower, upper))


def _expecting(what: str, schema: CoreSchema) -> CoreSchema:
    return core.custom_error_schema(schema, _OURS, custom_error_message=f"expected {what}")


def _function(function: Callable[[Any], Any]) -> CoreSchema:
    return core.no_info_plain_validator_function(function)


def _first_of(*schemas: CoreSchema) -> CoreSchema:
    return core.union_schema(list(schemas), mode="left_to_right")


def _tuple_of(item: CoreSchema) -> CoreSchema:
    return core.tuple_schema([item], variadic_item_index=0)


def _not_empty(items: list[str]) -> list[str]:
    return [item for item in items if item]


def _choice(enum: type[StrEnum]) -> Callable[[str], StrEnum]:
    members = {member.value: member for member in enum}

    def read(text: str) -> StrEnum:
        if text not in members:
            valid = ", ".join(members)
            raise ValueError(f"found {text!r}{nearest(text, list(members))}; valid are {valid}")
        return members[text]

    return read

"""The fields of records as columns, and how their values are written to CSV and JSON.

The record types decide: their fields are the columns, and a field's type says how it is
written. The same value always gives the same text.
"""

import re
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, get_args, get_type_hints

from vpemetrics import names
from vpemetrics.records import RECORD_TYPES, AnyRecord
from vpemetrics.spreadsheets import escape
from vpemetrics.window import format_instant

SOURCE = "source"

_TO_ESCAPE = re.compile(r"([;\\])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column: its name, its Python type, and how its values are written.

    `write` and `to_json` take a known value. `default` stands for an empty cell;
    `empty_is_known` where an empty list says more.
    """

    name: str
    required: bool
    default: Any
    type: type[Any]
    empty_is_known: bool

    def cell(self, value: Any) -> str:
        """The text of any value; nothing for an unknown one."""
        if self.is_unknown(value):
            return ""
        if self.type is datetime:
            return format_instant(value)
        if self.type is bool:
            return "true" if value else "false"
        if self.type is tuple:
            return " ".join(value) if self.holds_shas else escape(write_list(value))
        return str(value) if self.type is int else escape(str(value))

    def to_json(self, value: Any) -> Any:
        """A known value as it stands in JSON."""
        if self.type is datetime:
            return format_instant(value)
        if self.type is tuple:
            return [item for item in value if item]
        return value

    def is_unknown(self, value: Any) -> bool:
        """Tell whether a value says nothing; an empty list may say that there was none."""
        return value is None or (value == () and not self.empty_is_known)

    @property
    def holds_shas(self) -> bool:
        """Commit ids, by its name."""
        return self.name == "parents" or self.name.endswith(("sha", "shas"))


def nearest(name: str, valid: Sequence[str]) -> str:
    """` (did you mean …?)` with the most similar valid name, or nothing."""
    close = names.nearest(name, valid)
    return f" (did you mean {close}?)" if close else ""


def write_list(items: Sequence[str]) -> str:
    """Texts with `;` between them; empty items say nothing and are left out."""
    return ";".join(_TO_ESCAPE.sub(r"\\\1", item) for item in items if item) or ";"


def _fields(record: type[AnyRecord]) -> tuple[Field, ...]:
    types = get_type_hints(record)
    return tuple(
        _field(field.name, types[field.name], field.default)
        for field in fields(record)
        if field.name != SOURCE
    )


def _field(name: str, type_: Any, default: Any) -> Field:
    is_tuple = "tuple[" in str(type_)
    types = set(get_args(type_)) - {type(None)} or {type_}
    (plain,) = {tuple} if is_tuple else types
    required = default is MISSING
    default = None if required else default
    return Field(
        name=name,
        required=required,
        default=default,
        type=plain,
        empty_is_known=is_tuple and default is None,
    )


IS_BOT = Field(name="is_bot", required=False, default=None, type=bool, empty_is_known=False)
"""The column that said of commits and pull requests what `author_kind` says."""

FIELDS: dict[str, tuple[Field, ...]] = {
    kind: _fields(record) for kind, record in RECORD_TYPES.items()
}
"""The columns of each kind's file, in order, without the leading `source`."""

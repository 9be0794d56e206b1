"""Which output has which name and file ending; nothing is imported until it is used.

An output is a function from a Report to bytes, named as "module:attribute".
"""

from collections.abc import Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "json": "vpemetrics.reports.jsonreport:render",
    "text": "vpemetrics.reports.terminal:render_file",
}

ENDINGS: Final[Mapping[str, str]] = {
    ".json": "json",
    ".txt": "text",
}
"""The format a file's ending stands for."""

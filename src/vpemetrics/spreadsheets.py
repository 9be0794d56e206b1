"""Texts in CSV files that a spreadsheet would run as formulas.

An apostrophe before them makes a spreadsheet show them as they are; reading takes it away again.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from typing import Final

# OWASP's list, and the wide forms that some spreadsheets take for the same.
_FORMULA: Final = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_ESCAPED: Final = re.compile(f"'+{_FORMULA}").match
_TO_ESCAPE: Final = re.compile(f"'*{_FORMULA}").match
_RUNS: Final = re.compile(_FORMULA).match


def escape(text: str) -> str:
    """The text as no formula; `unescape` gives every text back as it was."""
    return f"'{text}" if _TO_ESCAPE(text) else text


def unescape(text: str) -> str:
    """The text that was escaped; any other as it is."""
    return text[1:] if _ESCAPED(text) else text


def defuse(text: str) -> str:
    """The text as no formula, and as it is where it is none already."""
    return f"'{text}" if _RUNS(text) else text

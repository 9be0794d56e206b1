"""Every exception of the product, grouped by what the caller can do next.

VpemetricsError                 one line on stderr, exit code 1
├── FixConfiguration            change vpemetrics.toml, an option or the environment
│   └── ConfigurationErrors     several of them at once, each with file, key, found, expected
├── FixInput                    change the file or record that was given
│   └── BadRows                 rows that cannot be read, each named by file, line and column
├── StoreProblem                look after the database
│   ├── NewerStore              the store was made by a newer version: upgrade vpemetrics
│   ├── StoreBusy               another process is writing: wait and try again
│   └── StoreFull               the disk is full: make room and try again
├── ForgottenMeanwhile          what was being collected was forgotten: collect again
├── NotFound                    nothing is known under the name that was asked for
└── NoData                      there is nothing to report on yet

Stopped                         no error: whoever asked for the work wants no more of it

Everything else that escapes is a bug: it is logged, and the exit code is 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


class VpemetricsError(Exception):
    """A problem the user can act on; its text says what, where and what next."""


class FixConfiguration(VpemetricsError):
    """The configuration, an option or the environment wants changing."""


class ConfigurationErrors(FixConfiguration):
    """All mistakes of a configuration at once, one line each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class FixInput(VpemetricsError):
    """A file or record that was given cannot be used as it is."""


_SHOWN: Final = 400
"""The most that is shown of a reason, which quotes what was found."""


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """One row that cannot be read: where it stands, what is wrong, and its text."""

    file: str
    line: int
    column: str
    reason: str
    text: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}"
        reason = self.reason if len(self.reason) <= _SHOWN else f"{self.reason[:_SHOWN]}…"
        return f"{at}: column {self.column}: {reason}" if self.column else f"{at}: {reason}"


class BadRows(FixInput):
    """Rows that cannot be read; nothing was saved.

    `headers`: they are the first lines of files, without which no other row can be read.
    """

    SHOWN = 20

    def __init__(self, rows: Sequence[BadRow], *, headers: bool = False) -> None:
        lines = [str(row) for row in rows[: self.SHOWN]]
        if len(rows) > self.SHOWN:
            lines.append(f"… and {len(rows) - self.SHOWN} more")
        count = len({(row.file, row.line) for row in rows})
        rows_, them = ("row", "it") if count == 1 else ("rows", "them")
        mend = (
            f"Mend {them}" if headers else f"Mend {them}, or import the good ones with --skip-bad"
        )
        lines.append(f"{count} bad {rows_}; nothing was saved. {mend}.")
        super().__init__("\n".join(lines))
        self.rows = tuple(rows)


class StoreProblem(VpemetricsError):
    """The database needs attention."""


class NewerStore(StoreProblem):
    """The store was made by a newer version; it is left untouched."""


class StoreBusy(StoreProblem):
    """Another process is writing; trying again later helps."""


class StoreFull(StoreProblem):
    """There is no room to write; what was saved before is whole."""


class ForgottenMeanwhile(VpemetricsError):
    """A collection read on from what was forgotten meanwhile; the next one starts anew."""


class NotFound(VpemetricsError):
    """Nothing is known under the name that was asked for."""


class NoData(VpemetricsError):
    """There is nothing to report on yet."""


class Stopped(BaseException):
    """The work ends before its end, because it was told to; nobody takes it for an error."""

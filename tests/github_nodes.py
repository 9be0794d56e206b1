"""Names and moments for payloads in the shape of GitHub's."""

from datetime import UTC, datetime, timedelta
from typing import Final

from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.github.repository import Naming
from vpemetrics.rules import Rules

NAMING: Final = Naming(
    known="acme/shop",
    current="Acme/store",
    authors=GitAuthors(Rules(bots=("robot",))),
    others={"acme/store": "acme/shop", "acme/desk": "acme/incidents"},
)
SHA: Final = "4f2c9e1" + "0" * 33


def at(hour: int) -> str:
    """An hour of a Monday as GitHub writes it."""
    return f"2026-03-02T{hour:02d}:00:00Z"


def moment(hour: int) -> datetime:
    """The same hour."""
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)

"""Names and moments for payloads in the shape of GitHub's."""

from datetime import UTC, datetime, timedelta
from typing import Final

from vpemetrics.collectors.authors import author_test
from vpemetrics.collectors.github.repository import Naming

NAMING: Final = Naming(
    known="acme/shop",
    current="Acme/store",
    kind_of=author_test(["robot"]),
    others={"acme/store": "acme/shop", "acme/desk": "acme/incidents"},
)
SHA: Final = "4f2c9e1" + "0" * 33


def at(hour: int) -> str:
    """An hour of a Monday as GitHub writes it."""
    return f"2026-03-02T{hour:02d}:00:00Z"


def moment(hour: int) -> datetime:
    """The same hour."""
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)

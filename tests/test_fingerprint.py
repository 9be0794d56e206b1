from dataclasses import dataclass
from datetime import UTC, datetime

from vpemetrics.fingerprint import digest, fingerprint


@dataclass(frozen=True, kw_only=True)
class Choice:
    name: str
    since: datetime | None = None


def test_a_fingerprint_never_changes_with_a_release() -> None:
    """Stores keep them: with others all would be collected and traced anew."""
    assert fingerprint(1, "main", ("bot",), None) == "a1f9bd4624e5efb1"
    assert fingerprint(Choice(name="a"), size=6) == "e4930dbdf14f"
    assert digest("rules", size=4) == "8e93ffc0"


def test_fingerprints_tell_values_within_values_apart() -> None:
    one, other = Choice(name="a"), Choice(name="a", since=datetime(2026, 9, 1, tzinfo=UTC))

    assert fingerprint([one]) == fingerprint([Choice(name="a")])
    assert fingerprint([one]) != fingerprint([other])

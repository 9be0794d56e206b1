import pytest

from vpemetrics.config.nearest import nearest, nearest_zone


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("timezon", "timezone"),
        ("TimeZone", "timezone"),
        ("lead-time", "lead_time"),
        ("zzz", None),
        (3, None),
    ],
)
def test_the_name_that_was_probably_meant(name: object, expected: str | None) -> None:
    assert nearest(name, ["timezone", "lead_time", "name"]) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Dubln", "Europe/Dublin"),
        ("europe/dublin", "Europe/Dublin"),
        ("Dublin", "Europe/Dublin"),
        ("New York", "America/New_York"),
        ("", None),
    ],
)
def test_a_zone_is_guessed_from_its_city_too(name: str, expected: str | None) -> None:
    assert nearest_zone(name) == expected

import pytest

from vpemetrics.names import first_few, load, nearest, nearest_few, nearest_zone
from vpemetrics.window import week_of


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


def test_the_nearest_few_come_first_and_in_their_own_spelling() -> None:
    assert nearest_few("cart_api", ["search", "Cart-API", "cart"]) == ["Cart-API", "cart"]
    assert nearest_few("cart_api", ["Cart-API", "cart"], most=1) == ["Cart-API"]
    assert nearest_few("cart_api", ["Cart-API", "cart"], likeness=0.8) == ["Cart-API"]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a, b"),  # all that may be shown
        (["a", "b", "c"], "a, b and 1 more"),
    ],
)
def test_of_many_names_the_first_few_are_shown(names: list[str], shown: str) -> None:
    assert first_few(names, 2) == shown


def test_what_is_named_by_module_and_attribute_is_loaded() -> None:
    assert load("vpemetrics.window:week_of") is week_of

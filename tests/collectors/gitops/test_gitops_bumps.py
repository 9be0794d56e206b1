from datetime import timedelta

import pytest

from vpemetrics.collectors.gitops.bumps import Bump, by_key, open_bumps, superseded_bumps

MINUTE = timedelta(minutes=1)


def bumps(text: str) -> list[Bump]:
    """Bumps of one service, each as `version@second`."""
    return [
        Bump(f"{n:040x}", "shop", "production", version, int(at), None)
        for n, (version, _, at) in enumerate(word.partition("@") for word in text.split())
    ]


def words(found: list[Bump]) -> str:
    return " ".join(f"{one.version}@{one.at}" for one in found)


@pytest.mark.parametrize(
    ("wanted", "lost"),
    [
        ("", ""),
        ("1@0", ""),
        ("1@0 2@59", "1@0"),
        ("1@0 2@60", ""),  # less than a minute, not a minute
        ("1@0 2@30 3@80", "1@0 2@30"),
        ("1@0 2@100 3@130", "2@100"),
        ("1@0 1@30", ""),  # wanted again is not replaced
        ("1@0 1@30 2@50", "1@0 1@30"),
        ("1@0 1@30 2@70", ""),  # live since its first time
        ("1@0 2@30 1@40", "1@0 2@30"),
        ("1@50 2@40", "1@50"),  # clocks that differ
    ],
)
def test_a_version_replaced_within_a_minute_was_never_deployed(wanted: str, lost: str) -> None:
    assert words(list(superseded_bumps(bumps(wanted), MINUTE))) == lost


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("1@0", "1@0"),
        ("1@0 2@500", "2@500"),
        ("1@0 1@30 1@90", "1@0 1@30"),
    ],
)
def test_only_what_the_next_may_supersede_is_still_open(wanted: str, kept: str) -> None:
    assert words(open_bumps(bumps(wanted), MINUTE)) == kept


def test_places_are_judged_apart() -> None:
    shop, cart = bumps("1@0 2@10")
    elsewhere = cart._replace(environment="staging")

    assert by_key([shop, elsewhere]) == {shop.key: [shop], elsewhere.key: [elsewhere]}

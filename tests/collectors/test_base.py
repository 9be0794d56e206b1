from datetime import UTC, datetime

import pytest

from vpemetrics.collectors.base import CollectionContext, Collector, bot_test, mark_bots
from vpemetrics.records import Change, Commit, Deployment, Status


@pytest.mark.parametrize(
    ("author", "bot"),
    [
        ("renovate[bot]", True),
        ("Dependabot[BOT]", True),  # case does not matter
        ("Jacob", False),  # ends in a letter of "bot"
        ("[bot] lover", False),
        ("ci-runner", True),
        ("my-ci-runner", False),  # a pattern matches the whole name
        ("r2d2", True),
        ("r20d2", False),
        ("a.b", True),
        ("axb", False),  # a dot is a dot
        ("two\nlines[bot]", True),
    ],
)
def test_bots_are_known_by_their_names(author: str, bot: bool) -> None:
    assert bot_test(["CI-*", "r?d2", "a.b"])(author) is bot


def test_a_bracket_in_a_pattern_stands_for_itself() -> None:
    is_bot = bot_test(["*[app]"])

    assert is_bot("sync[app]")
    assert not is_bot("map")


def test_bots_are_marked_only_where_the_source_said_nothing() -> None:
    silent = Change(id="1", repository="r", author="x[bot]")
    person = Commit(sha="a" * 40, repository="r", author="x[bot]", is_bot=False)
    nobody = Commit(sha="b" * 40, repository="r")
    other = Deployment(id="1", environment="e", status=Status.FAILED)

    marked = list(mark_bots([silent, person, nobody, other], bot_test()))
    bot = Change(id="1", repository="r", author="x[bot]", is_bot=True)
    assert marked == [bot, person, nobody, other]


def test_a_collector_need_not_check_anything() -> None:
    collector = Collector(options=dict, collect=lambda _options, _occasion: iter(()))

    found = list(collector.check({}, CollectionContext(source="x", now=datetime.now(UTC))))

    assert found == []

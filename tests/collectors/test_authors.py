"""Who is a person, an agent or automation, by what they are called."""

import pytest

from vpemetrics.collectors.authors import author_test, mark_authors
from vpemetrics.records import AuthorKind, Change, Commit, Deployment, Status

PERSON, AUTOMATION = AuthorKind.PERSON, AuthorKind.AUTOMATION


@pytest.mark.parametrize(
    ("author", "automated"),
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
def test_automation_is_known_by_its_name(author: str, automated: bool) -> None:
    kind = AUTOMATION if automated else None
    assert author_test(["CI-*", "r?d2", "a.b"])(author) is kind


def test_a_bracket_in_a_pattern_stands_for_itself() -> None:
    kind_of = author_test(["*[app]"])

    assert kind_of("sync[app]") is AUTOMATION
    assert kind_of("map") is None


def test_authors_are_judged_only_where_the_source_said_nothing() -> None:
    silent = Change(id="1", repository="r", author="x[bot]")
    person = Commit(sha="a" * 40, repository="r", author="x[bot]", author_kind=PERSON)
    nobody = Commit(sha="b" * 40, repository="r")
    other = Deployment(id="1", environment="e", status=Status.FAILED)

    marked = list(mark_authors([silent, person, nobody, other], author_test()))
    bot = Change(id="1", repository="r", author="x[bot]", author_kind=AUTOMATION)
    assert marked == [bot, person, nobody, other]

import pytest

from vpemetrics.rules import matches


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("production", "prod*", True),
        ("PROD-eu", "prod*", True),  # case does not matter
        ("preprod", "prod*", False),  # the whole name counts
        ("live", "live", True),
        ("prod1", "prod?", True),
        ("prod", "prod?", False),  # `?` is exactly one character
        ("renovate[bot]", "*[bot]", True),
        ("alibot", "*[bot]", False),  # `[bot]` is no choice of letters
        ("a.b", "a?b", True),
        ("axb", "a.b", False),  # a dot is a dot
        ("line\nbreak", "line*", True),
    ],
)
def test_a_pattern_knows_only_star_and_question_mark(
    name: str, pattern: str, expected: bool
) -> None:
    assert matches(name, (pattern,)) is expected


def test_no_pattern_matches_nothing() -> None:
    assert not matches("prod", ())

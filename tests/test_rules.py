import pytest

from vpemetrics.rules import is_chosen, matches


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


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        ([], ["web", "web-trial", "cart"]),
        (["web*"], ["web", "web-trial"]),
        (["web*", "!*-trial"], ["web"]),
        (["!*-trial"], ["web", "cart"]),
        (["!web*", "web"], []),  # what is left out stays out
    ],
)
def test_patterns_choose_and_leave_out(patterns: list[str], chosen: list[str]) -> None:
    names = ["web", "web-trial", "cart"]

    assert [name for name in names if is_chosen(name, patterns)] == chosen

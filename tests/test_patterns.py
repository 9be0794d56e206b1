import re

import pytest

from vpemetrics.patterns import EndlessPattern, Pattern

NEVER = r"b(a|aa)+b\Z"
"""An expression that takes longer than anybody lives for a text of many `a` after a `b`."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Deploy shop 1.2", {"service": "shop", "version": "1.2"}),
        ("Deploy shop", {"service": "shop", "version": None}),
        ("Deploy shop 1.2!", None),
        ("deploy shop 1.2", None),
        ("", None),
        (f"Deploy {'x' * 4096} 1", None),
    ],
)
def test_an_expression_fits_all_of_a_text_or_not(
    text: str, expected: dict[str, str | None] | None
) -> None:
    pattern = Pattern("subject", r"Deploy (?P<service>\S+)(?: (?P<version>[\d.]+))?")

    assert pattern.fit(text) == expected
    assert pattern.names == {"service", "version"}


@pytest.mark.parametrize("text", ["(", "[", "(?P<a", "a{99999999999}", "*"])
def test_what_is_no_expression_is_told_with_its_key(text: str) -> None:
    with pytest.raises(ValueError, match="subject is no regular expression: "):
        Pattern("subject", text)


@pytest.mark.slow
@pytest.mark.parametrize("ask", ["fit", "search", "match"])
def test_an_expression_that_never_ends_is_given_up(ask: str) -> None:
    with pytest.raises(EndlessPattern) as given_up:
        getattr(Pattern("subject", NEVER), ask)("b" + "a" * 100)

    assert str(given_up.value).startswith(f"subject: {NEVER!r} takes more than a second for 'baaa")
    assert len(str(given_up.value)) < 300


@pytest.mark.parametrize("text", [r"(?P<a>x)", r"x(?=y)", r"(?i)x", r"\d{2,3}?", r"[^/]+"])
def test_it_takes_what_python_takes(text: str) -> None:
    for name in ("x", "X", "xy", "12", "1234", "a/b", ""):
        found = re.fullmatch(text, name)

        assert Pattern("k", text).fit(name) == (found.groupdict() if found else None)

import pytest

from vpemetrics.cli.wrapping import broken


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("", []),
        ("a note of some words", ["a note of", "some words"]),
        ("error: it did not work", ["error: it", "       did", "       not", "       work"]),
        ("error: no\n       go on now", ["error: no", "       go", "       on", "       now"]),
        ("the/path/is/long: no", ["the/path/is/long:", "no"]),  # words stay whole
        ("half-way in/to it", ["half-way", "in/to it"]),
        ("run `git fetch --all` again", ["run", "`git fetch --all`", "again"]),  # to be copied
        ("mend it with: git fetch --all", ["mend it", "with:", "git fetch --all"]),
    ],
)
def test_lines_end_between_words(text: str, lines: list[str]) -> None:
    assert broken(text, 11).splitlines() == lines

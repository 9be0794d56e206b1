import pytest

from vpemetrics.cli.wrapping import break_lines


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
        ("変更は何も失敗", ["変更は何も失敗"]),  # no word ends
        ("変更は 失敗", ["変更は 失敗"]),  # 11 cells
        ("変更 なし 失敗", ["変更 なし", "失敗"]),
    ],
)
def test_lines_end_between_words(text: str, lines: list[str]) -> None:
    assert break_lines(text, 11).splitlines() == lines

import pytest

from vpemetrics.config.lines import KeyPath, Lines

TEXT = '''\
# a comment with key = 1
store = "a.db"

[organisation] # whose
name = "Acme"
"time zone" = "UTC"
lead.start = "merge"

[[service]]
name = "one"
paths = [
  "a = b",
  ["x"],
]

[[service]]
name = """
[organisation]
name = 2
"""
team = { name = "t" }

[sources."my files"]
type = "files"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("store",), 2),
        (("organisation",), 4),
        (("organisation", "name"), 5),
        (("organisation", "time zone"), 6),
        (("organisation", "lead", "start"), 7),
        (("service",), 9),
        (("service", 0), 9),
        (("service", 0, "name"), 10),
        (("service", 0, "paths", 1), 11),  # a value over many lines stands where it begins
        (("service", 1, "name"), 17),
        (("service", 1, "team", "name"), 21),
        (("service", 1, "paths"), 16),  # what is missing belongs to the table it is missing from
        (("sources", "my files", "type"), 24),
        (("unheard of",), None),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_setting_is_found_on_its_line(newline: str, path: KeyPath, line: int | None) -> None:
    lines = Lines(TEXT.replace("\n", newline))

    assert lines.of(path) == line

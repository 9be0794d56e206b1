from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from vpemetrics.config.messages import dotted_name
from vpemetrics.config.source_checks import option_mistakes, source_mistakes


@dataclass(frozen=True, kw_only=True)
class Options:
    path: Path
    pages: int = 3
    names: tuple[str, ...] = ()
    draft: bool = False
    kind: Literal["tags", "commits"] = "tags"

    def __post_init__(self) -> None:
        if self.pages < 1:
            raise ValueError("needs a page")


def told(given: dict[str, object]) -> list[str]:
    mistakes = option_mistakes(("sources", "mine"), Options, given)
    return [f"{dotted_name(mistake.path)}: {mistake.problem}" for mistake in mistakes]


def test_settings_a_collector_takes_are_fine() -> None:
    assert told({"path": "a", "pages": 2, "names": ["x"], "draft": True}) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "sources.mine.path: missing"),
        ({"path": "a", "page": 1}, "sources.mine.page: unknown setting; did you mean pages?"),
        (
            {"path": "a", "zebra": 1},
            "sources.mine.zebra: unknown setting; valid are path, pages, names, draft, kind",
        ),
        (
            {"path": "a", "kind": "commit"},
            'sources.mine.kind: found "commit", expected one of tags, commits; '
            "did you mean commits?",
        ),
        ({"path": "a", "kind": 3}, "sources.mine.kind: found 3, expected one of tags, commits"),
        ({"path": 1}, "sources.mine.path: found 1, expected text in quotes"),
        ({"path": "a", "pages": "x"}, 'sources.mine.pages: found "x", expected a whole number'),
        ({"path": "a", "names": [1]}, "sources.mine.names[1]: found 1, expected text in quotes"),
        (
            {"path": "a", "names": "x"},
            'sources.mine.names: found "x", expected a list, as in ["one", "two"]',
        ),
        (
            {"path": "a", "draft": "perhaps"},
            'sources.mine.draft: found "perhaps", expected true or false',
        ),
    ],
)
def test_settings_a_collector_does_not_take_are_told(
    given: dict[str, object], expected: str
) -> None:
    assert told(given) == [expected]


def test_what_the_options_themselves_find_is_told_in_their_words() -> None:
    assert told({"path": "a", "pages": 0}) == ["sources.mine: needs a page"]


def test_an_unknown_type_is_told_with_the_known_ones() -> None:
    (mistake,) = source_mistakes({"sources": {"mine": {"type": "file", "path": "a"}}})

    assert dotted_name(mistake.path) == "sources.mine.type"
    assert mistake.problem.startswith('found "file", expected a type of source: files')
    assert mistake.problem.endswith("did you mean files?")


@pytest.mark.parametrize("sources", [1, {"mine": 1}, {"mine": {}}, {"mine": {"type": 1}}])
def test_what_has_the_wrong_shape_is_left_to_the_model(sources: object) -> None:
    assert list(source_mistakes({"sources": sources})) == []


def test_the_settings_of_a_collector_there_is_are_checked() -> None:
    (mistake,) = source_mistakes({"sources": {"mine": {"type": "files", "path": 1}}})

    assert dotted_name(mistake.path) == "sources.mine.path"


def test_a_source_of_a_package_that_is_broken_is_told_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "acme_torn-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-torn\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[vpemetrics.collectors]\ntorn = no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)

    (mistake,) = source_mistakes({"sources": {"mine": {"type": "torn"}}})

    assert dotted_name(mistake.path) == "sources.mine.type"
    assert mistake.problem.startswith("the package acme-torn 1.2 has the source torn, but ")

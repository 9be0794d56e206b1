"""Names and docstrings of the product: one class a name, and no docstring that asks."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import vpemetrics

SOURCE = Path(vpemetrics.__file__).parent

ASKS = re.compile(r"\s*(What|Whether|How|Which|Who|Whom|Whose|Where|When|Why|If)\b")

SIBLINGS = {"Options"}
"""Names that every source gives to a class of its own, so that one learned is all learned."""


@cache
def sources(package: Path) -> list[tuple[str, ast.Module]]:
    """The modules of a package by their path in it, as syntax trees."""
    return [
        (path.relative_to(package).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(package.rglob("*.py"))
    ]


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts that stand alone, by line: docstrings, and those below an attribute."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text


def questions(package: Path) -> list[str]:
    """The docstrings that begin as a question does."""
    return [
        f"{name}:{line}: {text.strip().splitlines()[0]}"
        for name, tree in sources(package)
        for line, text in texts(tree)
        if ASKS.match(text)
    ]


def shared_classes(package: Path) -> dict[str, list[str]]:
    """The names that several classes have, those inside others and private ones too."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, tree in sources(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name}:{node.lineno}")
    return {name: at for name, at in places.items() if len(at) > 1 and name not in SIBLINGS}


def test_no_docstring_asks_a_question() -> None:
    assert questions(SOURCE) == []


def test_no_two_classes_have_one_name() -> None:
    assert shared_classes(SOURCE) == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""What there is."""',
        'def f():\n    """Whether it is."""',
        'class A:\n    x = 1\n    """How many there are."""',
        'async def f():\n    """\n    Who did it."""',
    ],
)
def test_a_question_is_noticed(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source, encoding="utf-8")

    assert len(questions(tmp_path)) == 1


@pytest.mark.parametrize(
    "source",
    ['"""Whatever there is."""', 'x = "What is this?"', 'f("Where is it?")', '"""Iffy."""'],
)
def test_a_statement_is_no_question(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source, encoding="utf-8")

    assert questions(tmp_path) == []


def test_two_classes_of_one_name_are_noticed_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class _Part: ...\nclass Options: ...", encoding="utf-8")
    (tmp_path / "b.py").write_text(
        "class B:\n    class _Part: ...\nclass Options: ...", encoding="utf-8"
    )

    assert shared_classes(tmp_path) == {"_Part": ["a.py:1", "b.py:2"]}

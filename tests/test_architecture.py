"""docs/architecture.md draws the source as it is: its tree, its layers, and a walk through it."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from test_layers import ROWS

import vpemetrics

SOURCE = Path(vpemetrics.__file__).parent
ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The part of the page under a heading."""
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[headings().index(title) + 1]


def headings() -> list[str]:
    return re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


def drawn() -> list[Path]:
    """The paths that the tree draws, relative to the source."""
    _, tree, _ = section("The tree").split("```")
    found: list[Path] = []
    above: list[str] = []
    for indent, name in re.findall(r"^( *)(\S+) {2,}\S", tree, re.MULTILINE):
        above[len(indent) // 2 :] = [name]
        found.append(Path(*above))
    return found


def named_paths() -> list[str]:
    """What the page names as a path: with a slash or an ending of a file in it."""
    spans = re.findall(r"`([\w./]+)`", PAGE)
    return sorted({span for span in spans if "/" in span or span.endswith((".py", ".html"))})


def stops() -> list[tuple[str, str]]:
    """The files of the walk, each with a name in it."""
    rows = re.findall(r"^\| `([\w/]+\.py)` \| (.+?) \|", section(headings()[2]), flags=re.MULTILINE)
    return [(file, name) for file, names in rows for name in re.findall(r"`([\w.]+)`", names)]


def defined(file: str) -> set[str]:
    """What a module defines at its top, and the methods of its classes as `Class.method`."""
    names: set[str] = set()
    for node in ast.parse((SOURCE / file).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name, body=body):
                names.add(name)
                names |= {f"{name}.{it.name}" for it in body if isinstance(it, ast.FunctionDef)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def test_the_page_has_the_parts_that_are_tested_here() -> None:
    assert headings()[:4] == [
        "What this buys",
        "The tree",
        "One pull request, from the wire to the page",
        "Who may import whom",
    ]
    assert len(drawn()) > 20
    assert len(stops()) > 20


def test_the_tree_draws_nothing_twice() -> None:
    assert [str(path) for path, times in Counter(drawn()).items() if times > 1] == []


def test_what_the_tree_draws_is_there() -> None:
    assert [str(path) for path in drawn() if not (SOURCE / path).exists()] == []


def test_every_package_source_and_module_of_the_ground_floor_is_drawn() -> None:
    packages = {path.parent.relative_to(SOURCE) for path in SOURCE.rglob("*.py")} - {Path()}
    modules = {
        path.relative_to(SOURCE)
        for folder in (SOURCE, SOURCE / "collectors")
        for path in folder.glob("[a-z]*.py")
    }

    assert sorted((packages | modules) - set(drawn())) == []


@pytest.mark.parametrize("path", named_paths())
def test_every_path_named_is_there(path: str) -> None:
    beside = {file.rpartition("/")[0] for file, _ in stops()}
    places = [SOURCE, ROOT, *(SOURCE / folder for folder in beside)]

    assert any((place / path).exists() for place in places)


@pytest.mark.parametrize(("file", "name"), stops())
def test_the_walk_finds_what_it_names(file: str, name: str) -> None:
    assert name in defined(file)


def test_the_table_of_layers_is_the_one_that_is_held() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", section("Who may import whom"), re.MULTILINE)
    layers = {int(number): re.findall(r"`(\w+)`", names) for number, names in rows}

    assert [number for number, _ in rows] == [str(n) for n in range(len(rows), 0, -1)]
    assert [set(layers[n]) for n in sorted(layers)] == [set(row) for row in ROWS[1:-1]]

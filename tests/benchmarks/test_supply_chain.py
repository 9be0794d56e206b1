"""What comes with vpemetrics: under which licences, and from which version on."""

import importlib.util
import subprocess
import sys
import tomllib
from email.message import Message
from pathlib import Path
from types import ModuleType

import pytest
from subprocesses import PATIENCE

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LICENCES, FLOORS = script("licences"), script("floors")


def metadata(*lines: tuple[str, str]) -> Message:
    found = Message()
    for name, value in lines:
        found[name] = value
    return found


def test_everything_that_is_installed_with_it_is_under_a_licence_that_is_agreed_to() -> None:
    found = LICENCES.packages("vpemetrics")

    assert {"vpemetrics", "sqlalchemy", "numpy", "psycopg", "markupsafe"} <= {p.name for p in found}
    assert [package for package in found if not package.is_agreed] == []


@pytest.mark.parametrize(
    ("licence", "agreed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),  # ours to choose
        ("BSD-3-Clause AND (MIT)", True),
        ("BSD-3-Clause AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("Proprietary", False),
        ("", False),  # which is no permission at all
    ],
)
def test_a_licence_is_agreed_to_only_if_all_of_it_is(licence: str, agreed: bool) -> None:
    assert LICENCES.Package("x", "1", licence).is_agreed is agreed


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ([("License-Expression", "MIT"), ("Classifier", "License :: Other")], "MIT"),
        ([("Classifier", "License :: OSI Approved :: BSD License")], "BSD-3-Clause"),
        ([("License", "ISC")], "ISC"),
        ([("License", "Copyright (c) somebody, " + "who says more " * 9)], ""),  # a whole text
        ([("Classifier", "Programming Language :: Python")], ""),
    ],
)
def test_the_licence_is_what_the_package_says(lines: list[tuple[str, str]], licence: str) -> None:
    assert LICENCES.licence_of(metadata(*lines)) == licence


def test_the_script_ends_well_where_all_is_agreed_to() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "licences.py"],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout
    assert "sqlalchemy" in run.stdout


def test_every_dependency_has_a_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    floors = dict(FLOORS.floors(project))

    assert len(floors) == len(project["dependencies"]) + 1  # psycopg is an extra
    assert {"numpy", "sqlalchemy", "psycopg", "PyGithub"} <= set(floors)


def test_a_dependency_without_a_floor_is_refused() -> None:
    project = {"dependencies": ["rich"], "optional-dependencies": {"postgresql": []}}

    with pytest.raises(ValueError, match="rich: no lowest version"):
        list(FLOORS.floors(project))


def test_what_the_tests_take_leaves_the_floors_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    tools = list(FLOORS.tools(project))

    assert any(tool.startswith("pytest>=") for tool in tools)
    assert not any(tool.startswith(("matplotlib", "vpemetrics")) for tool in tools)

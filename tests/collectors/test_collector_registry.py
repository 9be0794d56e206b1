"""What the registry names is there, and what other packages name is found; late, all of it."""

import dataclasses
import importlib.metadata
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from subprocesses import PATIENCE

from vpemetrics.collectors.base import CollectionContext, Collector
from vpemetrics.collectors.registry import (
    COLLECTORS,
    collector_names,
    collector_of,
    find_collector,
)
from vpemetrics.errors import FixConfiguration

SOURCE = """
from dataclasses import dataclass
from vpemetrics.collectors.base import Batch, Finding
@dataclass(frozen=True, kw_only=True)
class Options:
    board: str
def collect(options, context):
    yield Batch(records=[], cursors={"board": options.board})
def check(options, context):
    yield Finding(topic="board", text=options.board)
"""
WITHOUT_CHECK = SOURCE.partition("def check")[0]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages can be installed into."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(packages: Path, name: str, code: str) -> None:
    """A package `acme-NAME 1.2` whose module is the source NAME."""
    (packages / f"acme_{name}.py").write_text(code)
    info = packages / f"acme_{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[vpemetrics.collectors]\n{name} = acme_{name}\n")


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_name_leads_to_a_collector(name: str) -> None:
    collector = collector_of(name)

    assert isinstance(collector, Collector)
    assert dataclasses.is_dataclass(collector.options)
    assert find_collector(name) is collector


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_part_is_where_the_registry_says(name: str) -> None:
    for place in filter(None, dataclasses.astuple(COLLECTORS[name])):
        module, attribute = place.split(":")

        assert callable(getattr(import_module(module), attribute))


@pytest.mark.parametrize("name", COLLECTORS)
def test_options_are_had_without_what_collecting_takes(name: str) -> None:
    parts = COLLECTORS[name]
    options, *others = (
        place.partition(":")[0] for place in filter(None, dataclasses.astuple(parts))
    )

    loaded = loaded_by(
        "from vpemetrics.collectors.registry import find_collector\n"
        f"find_collector({name!r}).options"
    )

    assert options in loaded
    assert loaded & {"github", "requests", "urllib3"} == set()
    assert loaded & set(others) <= {options}  # all of them, where the source is one file


def test_other_packages_are_looked_up_for_a_name_of_theirs_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_group: pytest.fail("asked"))

    assert find_collector("git")


def test_a_source_of_another_package_is_found_by_its_entry_point(packages: Path) -> None:
    install(packages, "board", SOURCE)

    collector = collector_of("board")
    context = CollectionContext(source="board", now=None)  # type: ignore[arg-type]  # unused
    options = collector.options(board="releases")

    assert [batch.cursors for batch in collector.collect(options, context)] == [
        {"board": "releases"}
    ]
    assert [finding.text for finding in collector.check(options, context)] == ["releases"]
    assert collector_names() == (*COLLECTORS, "board")


def test_a_source_need_not_check_anything(packages: Path) -> None:
    install(packages, "plain", WITHOUT_CHECK)

    collector = collector_of("plain")

    assert list(collector.check(None, None)) == []  # type: ignore[arg-type]  # it looks at nothing


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("torn", "import no_such_module", "acme_torn cannot be imported: ModuleNotFoundError"),
        ("odd", "raise SystemError('boom')", "acme_odd cannot be imported: SystemError: boom"),
        ("empty", "", "acme_empty has no Options and no collect"),
        ("half", "class Options: ...", "acme_half has no collect"),
    ],
)
def test_a_broken_package_is_named(packages: Path, name: str, code: str, complaint: str) -> None:
    install(packages, name, code)

    with pytest.raises(FixConfiguration) as told:
        find_collector(name)

    assert str(told.value).startswith(f"the package acme-{name} 1.2 has the source {name}, but ")
    assert complaint in str(told.value)
    assert str(told.value).endswith("mend or remove that package")


def test_a_name_that_nobody_has_is_told_with_those_there_are(packages: Path) -> None:
    install(packages, "ours", SOURCE)

    with pytest.raises(FixConfiguration, match=r"no type of source 'jira'; there are .*, ours$"):
        collector_of("jira")

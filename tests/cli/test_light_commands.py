"""A command pays for nothing that only collecting takes, whatever sources are configured."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from sample import files
from subprocesses import PATIENCE, environment

from vpemetrics.collectors.registry import COLLECTORS

SOURCES = """
[sources.github]
type = "github"
token = "env:GITHUB_TOKEN"
repositories = ["acme/*"]
[sources.shop]
type = "git"
path = "shop"
[sources.exports]
type = "files"
path = "exports"
[sources.desired]
type = "gitops"
path = "desired"
"""
TRANSPORT = {"requests", "urllib3", "github"}
COLLECTING = {parts.collect.partition(":")[0] for parts in COLLECTORS.values()}


def modules_after(*commands: str, folder: Path = Path()) -> set[str]:
    """The modules that a process holds which ran commands in a folder."""
    code = (
        "import sys, json\n"
        "from vpemetrics.cli import app\n"
        f"for command in {commands!r}:\n"
        "    app(command.split(), standalone_mode=False)\n"
        "print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


class Reported(NamedTuple):
    """A folder with the sample, in which a first report was made, and what that loaded."""

    folder: Path
    modules: set[str]


@pytest.fixture(scope="module")
def reported(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    folder = tmp_path_factory.mktemp("reported")
    shutil.copy(imported, folder / "vpemetrics.db")
    shutil.copy(files() / "vpemetrics.toml", folder)
    return Reported(folder, modules_after("report", folder=folder))


READING = (
    "status", "report", "report --output page.html", "explain deployment_frequency",
    "chart deployments -o chart.svg", "triage list",
)  # fmt: skip
"""Commands that collect nothing; if one of them loads something, so does a process with all."""


@pytest.mark.usefixtures("sample")
def test_commands_that_collect_nothing_load_nothing_for_it(folder: Path) -> None:
    with (folder / "vpemetrics.toml").open("a") as file:
        file.write(SOURCES)

    modules = modules_after(*READING)

    assert "vpemetrics.collectors.github.options" in modules
    assert modules & (TRANSPORT | COLLECTING) == set()
    assert [name for name in modules if name.startswith("vpemetrics.collectors.http")] == []


@pytest.mark.slow
def test_commands_that_find_nothing_new_load_no_collector_and_trace_nothing(
    folder: Path, reported: Reported
) -> None:
    shutil.copytree(reported.folder, folder, dirs_exist_ok=True)

    modules = modules_after(*READING)

    assert ours(modules, "lineage") <= {
        "vpemetrics.lineage",
        "vpemetrics.lineage.rows",  # its words
        "vpemetrics.lineage.services",
    }
    assert ours(modules, "collectors") <= {
        "vpemetrics.collectors",
        "vpemetrics.collectors.base",  # of sources the configuration is checked
        "vpemetrics.collectors.registry",
        "vpemetrics.collectors.sizes",
    }
    assert modules & {"vpemetrics.store.forgetting", "vpemetrics.store.history"} == set()


@pytest.mark.slow
def test_a_command_that_finds_something_new_traces_it(reported: Reported) -> None:
    assert "vpemetrics.lineage.trace" in reported.modules


def ours(modules: set[str], part: str) -> set[str]:
    return {name for name in modules if f"{name}.".startswith(f"vpemetrics.{part}.")}

"""Everything a user can type or meet is documented: the program is asked what there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from vpemetrics.cli import app
from vpemetrics.cli.output import CHOICES
from vpemetrics.collectors.files.fields import FIELDS, SOURCE
from vpemetrics.collectors.registry import COLLECTORS
from vpemetrics.config.model import settings
from vpemetrics.metrics.registry import METRICS
from vpemetrics.reports.registry import ENDINGS
from vpemetrics.usecases.problems import REMEDIES

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
# What is set as code: `this`, and what stands in blocks.
CODE = [
    found
    for page in PAGES.values()
    for found in re.findall(r"^```\w*\n(.+?)^```|`([^`\n]+)`", page, re.MULTILINE | re.DOTALL)
]
CODES = [block or span for block, span in CODE]


def commands(command: Any, name: str = "vpemetrics") -> Iterator[tuple[str, Any]]:
    """Every command with its full name, those within others too."""
    inside = getattr(command, "commands", {})
    if not inside:
        yield name, command
    for own, one in inside.items():
        yield from commands(one, f"{name} {own}")


PROGRAM = typer.main.get_command(app)
COMMANDS = dict(commands(PROGRAM))
OPTIONS = sorted(
    {
        option
        for command in (PROGRAM, *COMMANDS.values())
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-")
    }
)


def is_documented(text: str) -> bool:
    """Whether some piece of code in the documentation holds the text as a word of its own."""
    word = re.compile(rf"(?<![\w-]){re.escape(text)}(?![\w-])")
    return any(word.search(code) for code in CODES)


def test_the_program_was_asked() -> None:
    assert {"vpemetrics import", "vpemetrics triage confirm"} <= set(COMMANDS)
    assert {"--week", "-o", "--skip-bad", "--config"} <= set(OPTIONS)
    assert not is_documented("--no-such-option")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert is_documented(name)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_documented(option: str) -> None:
    assert is_documented(option)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_names_it(name: str) -> None:
    assert f"Example: {name}" in " ".join(COMMANDS[name].help.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_has_help(name: str) -> None:
    without = [one.name for one in COMMANDS[name].params if not getattr(one, "help", None)]

    assert without == []


@pytest.mark.parametrize("name", [*settings(), *COLLECTORS])
def test_every_setting_and_source_is_documented(name: str) -> None:
    assert is_documented(name)


@pytest.mark.parametrize("name", [*CHOICES, *ENDINGS])
def test_every_output_is_documented(name: str) -> None:
    assert is_documented(name)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_is_documented_with_its_other_names(metric: Any) -> None:
    row = next(
        (line for line in PAGES["reports.md"].splitlines() if f"`{metric.name}`" in line), ""
    )

    assert row
    assert [alias for alias in metric.aliases if f"`{alias}`" not in row] == []


@pytest.mark.parametrize(
    ("kind", "column"),
    [(kind, field.name) for kind, fields in FIELDS.items() for field in fields],
)
def test_every_column_of_an_import_is_documented(kind: str, column: str) -> None:
    sections = re.split(r"^##+ ", PAGES["collectors.md"], flags=re.MULTILINE)
    mine = next((one for one in sections if kind in one.partition("\n")[0].split(", ")), "")

    assert f"`{column}`" in mine


def test_the_column_of_the_source_is_documented() -> None:
    assert f"`{SOURCE}`" in PAGES["collectors.md"]


@pytest.mark.parametrize("reason", REMEDIES)
def test_every_problem_in_the_data_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in PAGES["operations.md"]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", PAGES[page])

    broken = [target for target in targets if not leads_somewhere(page, target)]

    assert broken == []


def leads_somewhere(page: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = DOCS / (path or page)
    if not file.exists():
        return False
    return not anchor or anchor in anchors(file.read_text(encoding="utf-8"))


def anchors(page: str) -> set[str]:
    """The anchors of a page: those it sets itself, and its headings', as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    own = re.findall(r'<a id="([^"]+)"></a>', page)
    plain = (re.sub(r"<[^>]+>", "", heading) for heading in headings)
    return {
        *own,
        *(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain),
    }


def test_every_promise_of_security_is_held_by_attacks_and_every_attack_by_a_promise() -> None:
    named = set(re.findall(r"`(tests/attacks/test_\w+\.py)`", PAGES["security.md"]))
    there = {
        f"tests/attacks/{file.name}" for file in (DOCS.parent / "tests/attacks").glob("test_*.py")
    }

    assert named == there - {"tests/attacks/test_stopped_at_once.py"}  # which is no attack

import subprocess
import sys

import pytest
from commandline import invoke
from subprocesses import PATIENCE, environment

from vpemetrics import __version__

HEAVY = {"alembic", "matplotlib", "numpy", "pandas", "rich", "sqlalchemy"}


def modules_after(*commands: str) -> set[str]:
    """The top packages a process holds after commands."""
    code = (
        "import sys\nfrom vpemetrics.cli import app\n"
        f"for command in {commands!r}:\n"
        "    try: app(command.split(), prog_name='vpemetrics')\n    except SystemExit: pass\n"
        "print('\\nmodules', *{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    last = run.stdout.splitlines()[-1].split()
    assert last[0] == "modules"
    return set(last[1:])


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    assert modules_after("--help") & (HEAVY | {"pydantic"}) == set()


@pytest.mark.slow
def test_help_of_a_command_imports_nothing_heavy() -> None:
    commands = ("demo", "import", "report", "status", "explain", "export")

    # pydantic is not ours to avoid: recent versions of typer check options with it
    assert modules_after(*(f"{command} --help" for command in commands)) & HEAVY == set()


def test_a_report_imports_nothing_it_has_no_use_for(sample: object) -> None:
    found = modules_after("report")

    assert found & {"alembic", "github", "matplotlib", "pandas", "requests", "scipy"} == set()
    assert found >= {"numpy", "sqlalchemy"}  # the report was made


def test_a_terminals_help_names_every_command_with_an_example() -> None:
    commands = ["demo", "import", "report", "explain", "status", "export", "recompute", "version"]

    overview = invoke("--help").stdout

    for command in commands:
        assert f"  {command} " in overview
        assert f"Example: vpemetrics {command}" in " ".join(
            invoke(command, "--help").stdout.split()
        )


@pytest.mark.parametrize("group", [(), ("triage",), ("db",)])
def test_the_help_tells_each_command_in_a_whole_sentence(group: tuple[str, ...]) -> None:
    _, commands = invoke(*group, "--help").stdout.split("Commands:\n")

    assert [line for line in commands.splitlines() if line and not line.endswith(".")] == []
    assert "..." not in commands


@pytest.mark.parametrize("arguments", [("version",), ("--version",)])
def test_the_version_is_printed(arguments: tuple[str, ...]) -> None:
    assert invoke(*arguments).stdout == f"vpemetrics {__version__}\n"


def test_without_a_command_the_help_is_shown_as_a_usage_error() -> None:
    result = invoke()

    assert result.exit_code == 2
    assert "Usage: vpemetrics" in result.output

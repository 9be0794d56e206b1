"""What the README tells a newcomer to paste is what the project runs itself."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMANDS = re.findall(r"```sh\n(.*?)\n```", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_readme_has_two_commands_of_one_line() -> None:
    assert len(COMMANDS) == 2
    assert all(command.startswith("python3 -m venv .venv && ") for command in COMMANDS)


def test_continuous_integration_runs_the_second_command_as_it_stands() -> None:
    assert COMMANDS[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_first_command_makes_the_demo_in_the_environment() -> None:
    assert COMMANDS[0].endswith(" && .venv/bin/vpemetrics demo .venv/demo")

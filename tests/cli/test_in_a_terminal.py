"""What a person sees: the command line on a terminal, which a pseudo-terminal stands for."""

import subprocess
from pathlib import Path

import pytest
from commandline import command_of
from pseudoterminal import ended, seen
from subprocesses import environment


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "variables", "colored"),
    [
        ((), {}, True),
        (("--no-color",), {}, False),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_where_it_is_welcome(
    sample: Path, arguments: tuple[str, ...], variables: dict[str, str], colored: bool
) -> None:
    text = seen("report", "-q", *arguments, **variables)

    assert ("\x1b[" in text) == colored
    assert "Example engineering" in text


@pytest.mark.slow
def test_warnings_of_a_collection_have_lines_of_their_own(folder: Path) -> None:
    (folder / "vpemetrics.toml").write_text('[sources.s]\ntype = "files"\npath = "."\n')
    (folder / "deployments.csv").write_text("id,environment,status,service\n1,prod,failed,a\n")
    (folder / "strange.csv").write_text("")

    lines = seen("collect", "--no-color").splitlines()

    (warning,) = (line for line in lines if "strange.csv" in line)
    assert warning.rpartition("\x1b[2K")[2].startswith("warning: s: strange.csv was not read")


@pytest.mark.slow
def test_progress_is_shown_and_gone_in_the_end(folder: Path, store: Path) -> None:
    exported = folder / "files"
    subprocess.run(command_of("export", exported, "--store", store), env=environment(), check=True)

    text = seen("import", exported, "--store", folder / "new.db")

    assert "Saving records" in text
    assert "Saving records" not in text.rpartition("\x1b[2K")[2]  # the bar's line was erased


@pytest.mark.slow
def test_a_long_error_is_broken_between_its_words(folder: Path) -> None:
    asked = ("report", "--no-color", "--config", f"{'far/' * 20}away.toml")

    text, code = ended(*asked, COLUMNS="40")
    piped = subprocess.run(
        command_of(*asked), env=environment(), check=False, stderr=subprocess.PIPE, text=True
    ).stderr

    narrow = text.splitlines()
    assert code == 1
    words = ["error:", f"{'far/' * 20}away.toml:", "there", "is", "no", "such", "configuration"]
    assert [word for line in narrow for word in line.split()] == [*words, "file"]
    assert narrow[-2:] == ["       there is no such configuration", "       file"]
    assert piped == f"{' '.join(words)} file\n"


def test_a_mistake_in_an_option_is_broken_between_its_words(sample: Path) -> None:
    text, code = ended("chart", "--no-color", "pie", "-o", "a.svg", COLUMNS="60")

    assert code == 2
    lines = text.splitlines()
    said = lines[lines.index("") + 1 :]
    assert said[0] == "Error: Invalid value for NAME: there is no chart 'pie';"
    assert all(line.startswith("       ") and len(line) <= 60 for line in said[1:])
    assert "lead_time_distribution," in " ".join(said).split()

from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.reports.registry import CHARTS


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.slow
def test_every_chart_can_be_had_of_any_scope(sample: Path, folder: Path, name: str) -> None:
    result = invoke("chart", name.replace("_", "-"), "-o", "a.svg", "--service", "checkout")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "checkout" in (folder / "a.svg").read_text(encoding="utf-8")
    assert "wrote a.svg: " in result.stderr


@pytest.mark.slow
def test_the_ending_decides_what_a_picture_is(sample: Path, folder: Path) -> None:
    invoke("chart", "deployments", "-o", "a.PNG", "--month", "2026-07")

    assert (folder / "a.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_same_picture_comes_twice(sample: Path, folder: Path) -> None:
    for file in ("a.svg", "b.svg"):
        invoke("chart", "deployments", "-o", file)

    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("leadtime", "-o", "a.svg"), "there is no chart 'leadtime'; did you mean lead_time?"),
        (("gauge", "-o", "a.svg"), "there is no chart 'gauge'; there are deployments, lead_time"),
        (("stages", "-o", "a.pdf"), "the ending says the format, and there are .svg, .png"),
        (("stages",), "Missing option '--output'"),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_a_usage_error(
    sample: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = invoke("chart", *arguments)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())

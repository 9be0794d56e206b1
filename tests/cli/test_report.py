import json
from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.reports import jsonreport, terminal
from vpemetrics.window import parse_week


def test_the_report_is_that_of_the_last_complete_week(sample: Path) -> None:
    assert invoke("report").stdout.startswith("Example engineering · 2026-W36 (31 Aug–6 Sep, UTC)")


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        (("--week", "2026-W30"), "2026-W30"),
        (("--month", "2026-08"), "2026-08"),
        (("--quarter", "2026-Q2"), "2026-Q2"),
        (("--from", "2026-08-01", "--to", "2026-08-11"), "2026-08-01..2026-08-11"),
        (("--week", "2031-W01"), "2031-W01"),  # to come: reported as not collected
        (("--week", "2019-W01"), "2019-W01"),  # before any data
    ],
)
def test_any_window_can_be_asked_for(sample: Path, arguments: tuple[str, ...], label: str) -> None:
    report = jsonreport.read(invoke("report", "--json", *arguments).stdout_bytes)

    assert report.window.label == label


def test_a_week_that_was_not_collected_says_so(sample: Path) -> None:
    assert "No data was collected for 2031-W01." in invoke("report", "--week", "2031-W01").stdout


def test_a_window_is_one_of_the_configured_zone(sample: Path, folder: Path) -> None:
    (folder / "vpemetrics.toml").write_text('[organisation]\ntimezone = "Europe/Dublin"\n')

    report = jsonreport.read(invoke("report", "--json", "--week", "2026-W30").stdout_bytes)

    week = parse_week("2026-W30", "Europe/Dublin")
    assert (report.zone, report.window.start, report.window.end) == (
        "Europe/Dublin",
        week.start,
        week.end,
    )


@pytest.mark.parametrize(
    ("arguments", "kind", "name"),
    [
        (("--service", "checkout"), "service", "checkout"),
        (("--team", "team-b"), "team", "team-b"),
        ((), "organisation", "Example engineering"),
    ],
)
def test_a_report_has_the_scope_that_was_asked_for(
    sample: Path, arguments: tuple[str, ...], kind: str, name: str
) -> None:
    report = jsonreport.read(invoke("report", "--json", *arguments).stdout_bytes)

    assert (report.scope.kind, report.scope.name) == (kind, name)


def test_an_unknown_service_is_named_with_the_nearest_one(sample: Path) -> None:
    result = invoke("report", "-q", "--service", "chekout")

    assert result.exit_code == 1
    assert result.stderr == "error: there is no service 'chekout'; did you mean checkout?\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--service", "checkout", "--team", "team-a"), "--service and --team exclude each other"),
        (("--week", "2026-W30", "--month", "2026-08"), "--week and --month exclude each other"),
        (("--from", "2026-08-01"), "--from and --to go together"),
        (("--format", "pdf"), "'pdf' is no format; there are terminal, json, text, html"),
        (("--json", "--format", "text"), "--json and --format text exclude each other"),
        (
            ("-o", "report.pdf"),
            "the ending says the format, and there are .json, .txt, .html, .md, .csv",
        ),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(
    sample: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = invoke("report", *arguments)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_files_take_their_format_from_their_ending_and_leave_stdout_alone(
    sample: Path, folder: Path
) -> None:
    result = invoke("report", "-o", "report.json", "-o", "REPORT.TXT")

    report = jsonreport.read((folder / "report.json").read_bytes())
    assert result.stdout == ""
    assert (folder / "REPORT.TXT").read_text(encoding="utf-8") == terminal.render(report)
    assert "wrote report.json\n" in result.stderr


def test_a_file_and_stdout_can_be_had_together(sample: Path, folder: Path) -> None:
    result = invoke("report", "-o", "report.txt", "--json")

    assert json.loads(result.stdout)["format"] == "vpemetrics-report/1"
    assert (folder / "report.txt").exists()


@pytest.mark.slow
def test_formats_say_the_same_under_both_names(sample: Path) -> None:
    assert invoke("report", "--json").stdout == invoke("report", "--format", "json").stdout
    assert invoke("report").stdout == invoke("report", "--format", "terminal").stdout


def test_a_pipe_gets_no_colour(sample: Path) -> None:
    assert "\x1b" not in invoke("report").stdout

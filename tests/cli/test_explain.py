import json
from pathlib import Path

from commandline import invoke


def test_a_metric_is_explained_by_any_of_its_names(sample: Path) -> None:
    asked = ("--quarter", "2026-Q2", "--service", "checkout")
    by_alias, by_name = (
        invoke("explain", "cfr", *asked),
        invoke("explain", "change-fail-rate", *asked),
    )

    assert by_alias.exit_code == 0
    assert by_alias.stdout == by_name.stdout
    assert by_alias.stdout.startswith("Change fail rate · service checkout · 2026-Q2")


def test_all_shows_what_the_screen_has_no_room_for(sample: Path) -> None:
    short = invoke("explain", "df", "--quarter", "2026-Q2").stdout
    long = invoke("explain", "df", "--quarter", "2026-Q2", "--all").stdout

    assert "--all lists every one" in short
    assert "--all lists every one" not in long
    assert len(long) > len(short)


def test_json_is_for_programs(sample: Path) -> None:
    found = json.loads(invoke("explain", "checkout/91", "--json").stdout)

    assert found["format"] == "vpemetrics-explanation/1"
    assert (found["subject"], found["id"]) == ("deployment", "checkout/91")


def test_a_window_that_a_record_cannot_have_is_pointed_out(sample: Path) -> None:
    result = invoke("explain", "checkout/91", "--week", "2026-W36")

    assert result.exit_code == 0
    assert "a record has no window" in result.stderr


def test_an_unknown_name_is_an_error_with_names_that_resemble_it(sample: Path) -> None:
    result = invoke("explain", "INC-1-33")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "did you mean INC-1-3" in result.stderr

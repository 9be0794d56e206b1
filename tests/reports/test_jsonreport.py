import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from example_reports import EXAMPLES, FOUR, WEEK, figure, full_week, report
from pydantic import ValidationError

from vpemetrics.metrics.figures import Unit
from vpemetrics.reports import jsonreport

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


def test_the_report_reads_as_its_golden_file(
    same_as_golden: Callable[[str, bytes], None],
) -> None:
    same_as_golden("json/full-week.json", jsonreport.render(full_week()))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rendered_report_reads_back_equal(name: str) -> None:
    original = EXAMPLES[name]()

    assert jsonreport.read(jsonreport.render(original)) == original


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == jsonreport.schema(), (
        "renew it: python -m vpemetrics.reports.jsonreport > docs/report.schema.json"
    )


def test_the_schema_names_every_key_that_is_written() -> None:
    described = json.loads(jsonreport.schema())
    written = json.loads(jsonreport.render(full_week()))

    assert list(described["properties"]) == list(written)
    assert set(described["required"]) == set(written)
    assert list(described["$defs"]["Figure"]["properties"]) == list(written["figures"][0])


def test_the_first_key_is_the_format_number() -> None:
    rendered = jsonreport.render(full_week())

    assert rendered.startswith(b'{\n  "format": "vpemetrics-report/1",\n')
    assert rendered.endswith(b"}\n")


def test_maps_are_written_in_the_order_of_their_names() -> None:
    one, other = (
        figure("change_lead_time", WEEK, 1, Unit.SECONDS, excluded=excluded, beside=beside)
        for excluded, beside in (
            ({"automation": 1, "negative": 2}, {"p90": 3, "automation": 1}),
            ({"negative": 2, "automation": 1}, {"automation": 1, "p90": 3}),
        )
    )

    assert jsonreport.render(report([one])) == jsonreport.render(report([other]))


def test_values_are_not_rounded() -> None:
    third = figure("share_within_24h", FOUR, 1 / 3, Unit.PROPORTION, n=3, k=1)

    assert json.loads(jsonreport.render(report([third])))["figures"][0]["value"] == 1 / 3


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_cannot_enter_a_report(number: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        figure("change_lead_time", WEEK, number, Unit.SECONDS)
    with pytest.raises(ValidationError, match="finite"):
        figure("change_lead_time", WEEK, 1, Unit.SECONDS, beside={"p90": number})

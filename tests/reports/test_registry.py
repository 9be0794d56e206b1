import pytest
from example_reports import full_week

from vpemetrics.reports.registry import ENDINGS, FORMATS, render_as


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_a_report_to_bytes(name: str) -> None:
    content = render_as(full_week(), name)

    assert isinstance(content, bytes)
    assert b"Acme engineering" in content


def test_every_ending_stands_for_a_format() -> None:
    assert set(ENDINGS.values()) <= set(FORMATS)

from importlib import import_module

import pytest
from example_reports import full_week

from vpemetrics.reports.registry import ENDINGS, FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_a_report_to_bytes(name: str) -> None:
    module, _, attribute = FORMATS[name].partition(":")

    rendered = getattr(import_module(module), attribute)(full_week())

    assert isinstance(rendered, bytes)
    assert b"Acme engineering" in rendered


def test_every_ending_stands_for_a_format() -> None:
    assert set(ENDINGS.values()) <= set(FORMATS)

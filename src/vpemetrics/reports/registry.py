"""Outputs and charts by name; nothing is imported until it is used.

An output is a function from a Report to bytes, a chart one from a Report to a Picture, and both
are named as "module:attribute".
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from vpemetrics.names import load

if TYPE_CHECKING:
    from vpemetrics.reports.model import Report

FORMATS: Final[Mapping[str, str]] = {
    "json": "vpemetrics.reports.jsonreport:render",
    "text": "vpemetrics.reports.terminal:render_file",
    "html": "vpemetrics.reports.page:render",
    "markdown": "vpemetrics.reports.markdown:render",
    "csv": "vpemetrics.reports.csvreport:render",
}

ENDINGS: Final[Mapping[str, str]] = {
    ".json": "json",
    ".txt": "text",
    ".html": "html",
    ".md": "markdown",
    ".csv": "csv",
}
"""The format a file's ending stands for."""

WITH_PARTS: Final = frozenset({"json", "csv"})
"""Formats that show the figures of teams and services too."""
DRAWN: Final = frozenset({"json", "csv", "html"})
"""Formats that show what charts are drawn from."""

CHARTS: Final[Mapping[str, str]] = {
    "deployments": "vpemetrics.reports.charts.deployments:picture",
    "lead_time": "vpemetrics.reports.charts.lead_time:picture",
    "lead_time_distribution": "vpemetrics.reports.charts.lead_time_distribution:picture",
    "stages": "vpemetrics.reports.charts.stages:picture",
    "failures_and_rework": "vpemetrics.reports.charts.failures_and_rework:picture",
    "between_failures": "vpemetrics.reports.charts.between_failures:picture",
    "recoveries": "vpemetrics.reports.charts.recoveries:picture",
    "services": "vpemetrics.reports.charts.services:picture",
}

PICTURES: Final[Mapping[str, str]] = {
    ".svg": "vpemetrics.reports.charts.image:svg",
    ".png": "vpemetrics.reports.charts.image:png",
}
"""The functions that make a file of a picture, by its ending."""


def render_as(report: "Report", format_: str) -> bytes:
    """The report in a format."""
    content: bytes = load(FORMATS[format_])(report)
    return content

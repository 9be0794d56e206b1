"""The report as JSON, unrounded, and the published schema of it (docs/report.schema.json).

python -m vpemetrics.reports.jsonreport > docs/report.schema.json
"""

import json

from vpemetrics.hidden_characters import reveal
from vpemetrics.reports.model import Report


def render(report: Report) -> bytes:
    """The report as UTF-8 JSON: keys in the order of the schema, a newline at the end.

    Characters that would steer a terminal, or hide, are escaped.
    """
    return reveal(report.model_dump_json(indent=2)).encode() + b"\n"


def read(rendered: bytes) -> Report:
    """The report that was rendered; equal to the original."""
    return Report.model_validate_json(rendered)


def schema() -> str:
    """The JSON Schema of a rendered report, as a text with a newline at the end."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Report.model_json_schema(mode="serialization"),
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")

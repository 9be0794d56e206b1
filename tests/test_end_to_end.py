"""The whole way: files in, report out, a number explained, a person's word, and back into files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import invoke
from sample import files

from vpemetrics.records import RECORD_TYPES

pytestmark = pytest.mark.slow

SAMPLE = files()


def figure(report: dict[str, Any], metric: str, window: str) -> dict[str, Any]:
    """A metric's figure for the organisation."""
    return next(
        one
        for one in report["figures"]
        if one["metric"] == metric
        and one["window"] == report[window]
        and one["scope"]["kind"] == "organisation"
    )


def out(*arguments: object) -> str:
    """What a command printed; it must have gone well."""
    run = invoke(*arguments)
    assert run.exit_code == 0, run.stderr
    return run.stdout


def test_from_files_to_figures_and_back(
    tmp_path: Path, new_location: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRST", new_location())
    monkeypatch.setenv("SECOND", new_location())
    config = ("--config", SAMPLE / "vpemetrics.toml", "--store", "env:FIRST")

    out("import", SAMPLE, *config)
    before = json.loads(out("report", "--json", *config))
    text = out("report", *config)
    assert "Change fail rate" in text
    assert before["summary"] in " ".join(text.split())

    failed = figure(before, "change_fail_rate", "headline")
    assert f"{failed['k']}/{failed['n']}" in text
    assert f"{failed['k']}/{failed['n']}" in out("explain", "cfr", *config)

    assert "INC-2-11" in out("triage", "list", *config)
    out("triage", "confirm", "INC-2-11", "--why", "same stack trace", *config)
    after = json.loads(out("report", "--json", *config))
    assert figure(after, "change_fail_rate", "headline")["k"] == failed["k"] + 1

    again = ("--config", SAMPLE / "vpemetrics.toml", "--store", "env:SECOND")
    out("export", "one", *config)
    out("import", "one", *again)
    out("export", "two", *again)
    for kind in RECORD_TYPES:
        name = f"{kind}.csv"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert json.loads(out("report", "--json", *again)) == after

"""What is shown while a step goes on, with a bar and without one."""

from datetime import timedelta

import pytest

from vpemetrics.cli.progress import NoBar, bar


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich takes stderr for a terminal
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.mark.usefixtures("terminal")
def test_a_wait_is_told_above_the_bar_and_counted_down_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with bar("Collecting github") as shown:
        shown(1, 10)
        shown.say("github: waiting [60 s], until 2026-09-07 12:01:00 UTC")
        shown.count_down(timedelta(seconds=59.7))
        shown._progress.refresh()
        shown.count_down(timedelta())
        shown._progress.refresh()

    lines = capsys.readouterr().err
    assert "github: waiting [60 s], until 2026-09-07 12:01:00 UTC\n" in lines
    assert "Collecting github (waiting 0:01:00)" in lines
    assert "(waiting" not in lines.rpartition("Collecting github")[2]


def test_a_wait_is_told_where_there_is_no_bar() -> None:
    said: list[str] = []
    shown = NoBar(said.append)

    shown(1, 10)
    shown.say("github: waiting 60 s")
    shown.count_down(timedelta(seconds=60))

    assert said == ["github: waiting 60 s"]

"""GitLab and PagerDuty by their ready-made configuration: checked, collected, reported."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from commandline import invoke
from gitlab_server import GitLab, shop
from loopback import NOON, Hourglass, loopback
from pagerduty_server import PagerDuty
from restsources import SECRET

from vpemetrics.addresses import host_of
from vpemetrics.collectors import gitlab, pagerduty

CONFIGURATION = Path(__file__).parent.parent / "config" / "gitlab-pagerduty.toml"
WEEK = "2026-W34"
HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the configuration, and both servers that it names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GITLAB_TOKEN", SECRET)
    monkeypatch.setenv("PAGERDUTY_TOKEN", SECRET)
    with loopback(Hourglass()) as first, loopback(Hourglass()) as second:
        GitLab(first, [shop()])
        pagerduty = PagerDuty(second)
        pagerduty.services["S1"] = "Shop (production)"
        at = NOON - 20 * 24 * HOUR + 3.8 * 24 * HOUR
        pagerduty.incident("I1", at)
        pagerduty.note("I1", "resolve", at + 2 * HOUR, "resolved")
        text = CONFIGURATION.read_text(encoding="utf-8")
        for example, url in (
            ("https://gitlab.example.com/api/v4", first.url),
            ("https://api.eu.pagerduty.com", second.url),
        ):
            assert f'# url = "{example}"' in text
            text = text.replace(f'# url = "{example}"', f'since = 2026-08-01\nurl = "{url}"')
        (tmp_path / "vpemetrics.toml").write_text(text, encoding="utf-8")
        hosts = filter(None, map(host_of, (first.url, second.url)))
        monkeypatch.setenv("VPEMETRICS_TRUST", ",".join(hosts))
        yield tmp_path


@pytest.mark.slow
def test_both_are_checked_collected_and_reported_together(folder: Path) -> None:
    checked = invoke("check")
    collected = [invoke("collect") for _ in range(2)]
    reported = invoke("report", "--week", WEEK, "--json")

    assert (checked.exit_code, "Ready." in checked.stdout) == (0, True)
    assert [run.exit_code for run in collected] == [0, 0]
    counted = {
        one["metric"]: one["n"]
        for one in json.loads(reported.stdout)["figures"]
        if one["window"]["label"] == WEEK and one["scope"]["name"] == "Acme engineering"
    }
    # Four of five deployments are in the week; what the first of all shipped is not known.
    assert counted["deployment_frequency"] == 4
    assert counted["change_lead_time"] == 3
    assert counted["incident_restore_time"] == 3  # one of PagerDuty's, two of GitLab's
    for incident in ("I1", "acme/shop#1"):
        assert "E in shop" in invoke("explain", incident).stdout
    assert SECRET not in checked.output + reported.output + collected[0].output
    assert SECRET.encode() not in (folder / "vpemetrics.db").read_bytes()


@pytest.mark.parametrize(("source", "most"), [(gitlab, 260), (pagerduty, 150)])
def test_a_source_on_the_shared_machinery_stays_short(source: ModuleType, most: int) -> None:
    """What it lacks room for belongs into `collectors/http`, for the next one to have it too."""
    lines = Path(str(source.__file__)).read_text(encoding="utf-8").splitlines()

    assert len(lines) <= most

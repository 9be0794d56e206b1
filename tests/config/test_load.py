import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from vpemetrics.config.load import find, load
from vpemetrics.errors import ConfigurationErrors, FixConfiguration
from vpemetrics.rules import Event, LeadTimeStart, Rules, Service, Step, Target

TOKEN = "ghp_" + "a1B2" * 9
EVERYTHING = """
store = "metrics.db"
[organisation]
name = "Acme engineering"
timezone = "Europe/Dublin"
[production]
environments = ["live-*"]
[lead_time]
start = "each_commit"
[bots]
authors = ["renovate*", "*[bot]"]
[failures]
suspect_within = "2.5h"
incident_labels = ["outage"]
hotfix_labels = []
hotfix_branches = ["urgent/*"]
[deployments]
superseded_within = "90s"
[reliability]
file = "slo.csv"
[[service]]
name = "checkout"
team = "payments"
repository = "acme/shop"
sources = ["checkout-*"]
paths = ["services/checkout/**"]
environments = ["eu", "us"]
[[service]]
name = "search"
[[target]]
metric = "lead-time"
at_most = "2d"
[[target]]
metric = "CFR"
at_most = "15%"
scope = "team:payments"
[[target]]
metric = "deployment_frequency"
at_least = 5
at_most = 50.5
scope = "service:search"
[[step]]
metric = "deployment_frequency"
on = 2026-03-02
why = "two teams merged"
scope = "service:checkout"
[[event]]
on = 2026-05-04
what = "moved to the new cluster"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vpemetrics.toml"


def mistakes(file: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """What `load` says of a text, without the folder of the file."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationErrors) as refused:
        load(file, environ or {})
    return [line.replace(f"{file.parent}/", "") for line in refused.value.mistakes]


def test_without_a_file_everything_has_its_default() -> None:
    configuration = load(None, {})

    assert configuration.path is None
    assert configuration.rules() == Rules()


def test_an_empty_file_means_the_defaults(file: Path) -> None:
    file.write_text("", encoding="utf-8")

    assert load(file, {}).rules() == Rules()


def test_every_setting_reaches_the_rules(file: Path) -> None:
    file.write_text(EVERYTHING, encoding="utf-8")

    configuration = load(file, {})

    assert configuration.settings.store == "metrics.db"
    assert configuration.rules() == Rules(
        organisation="Acme engineering",
        zone="Europe/Dublin",
        services=(
            Service(
                name="checkout",
                team="payments",
                repository="acme/shop",
                sources=("checkout-*",),
                paths=("services/checkout/**",),
                environments=("eu", "us"),
            ),
            Service(name="search"),
        ),
        environments=("live-*",),
        lead_time_start=LeadTimeStart.EACH_COMMIT,
        bots=("renovate*", "*[bot]"),
        incident_window=timedelta(hours=2, minutes=30),
        incident_labels=("outage",),
        hotfix_labels=(),
        hotfix_branches=("urgent/*",),
        superseded_within=timedelta(seconds=90),
        targets=(
            Target(metric="change_lead_time", at_most=172_800.0),
            Target(metric="change_fail_rate", at_most=0.15, scope="team:payments"),
            Target(metric="deployment_frequency", at_least=5, at_most=50.5, scope="service:search"),
        ),
        steps=(
            Step(
                metric="deployment_frequency",
                on=date(2026, 3, 2),
                why="two teams merged",
                scope="service:checkout",
            ),
        ),
        events=(Event(on=date(2026, 5, 4), what="moved to the new cluster"),),
        reliability=str(file.parent / "slo.csv"),
    )


def test_a_byte_order_mark_is_tolerated(file: Path) -> None:
    file.write_text('[organisation]\nname = "Ä"\n', encoding="utf-8-sig")

    assert load(file, {}).rules().organisation == "Ä"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bogus = 1", "1: bogus: unknown setting; did you mean bots?"),
        ("zzzzzz = 1", "1: zzzzzz: unknown setting"),
        (  # known elsewhere
            'timezone = "UTC"',
            "1: timezone: unknown setting; did you mean organisation.timezone?",
        ),
        ("[[services]]", "1: services: unknown setting; did you mean service?"),
        (
            '[[service]]\nname = "a"\npath = []',
            "3: service[1].path: unknown setting; did you mean paths?",
        ),
        (
            'organisation = "Acme"',
            '1: organisation: found "Acme", expected a table that begins with [organisation]',
        ),
        ("[service]", "1: service: found a table, expected a table that begins with [[service]]"),
        (
            "[sources]\nfiles = 1",
            "2: sources.files: found 1, expected a table that begins with [sources.files]",
        ),
        ("store = true", "1: store: found true, expected text in quotes"),
        ('store = ""', '1: store: found "", expected text that is not empty'),
        (
            '[production]\nenvironments = "prod"',
            '2: production.environments: found "prod", expected a list, as in ["one", "two"]',
        ),
        (
            "[production]\nenvironments = []",
            "2: production.environments: found a list, expected at least one item",
        ),
        ("[bots]\nauthors = [1]", "2: bots.authors[1]: found 1, expected text in quotes"),
        (
            '[organisation]\ntimezone = "Europe/Dubln"',
            '2: organisation.timezone: found "Europe/Dubln", '
            'expected a time zone such as "Europe/Dublin"; did you mean Europe/Dublin?',
        ),
        (
            '[organisation]\ntimezone = "/etc/passwd"',
            '2: organisation.timezone: found "/etc/passwd", '
            'expected a time zone such as "Europe/Dublin"',
        ),
        (
            '[lead_time]\nstart = "first-comit"',
            '2: lead_time.start: found "first-comit", '
            "expected one of first_commit, each_commit, merge; did you mean first_commit?",
        ),
        (
            "[failures]\nsuspect_within = 4",
            "2: failures.suspect_within: found 4, "
            'expected a duration such as "90s", "30min", "4h", "2d" or "1w"',
        ),
        (
            '[failures]\nsuspect_within = "4 hours"',
            '2: failures.suspect_within: found "4 hours", '
            'expected a duration such as "90s", "30min", "4h", "2d" or "1w"',
        ),
        (
            '[failures]\nsuspect_within = "99999999999999w"',
            '2: failures.suspect_within: found "99999999999999w", expected a shorter duration',
        ),
        ("[[service]]", "1: service[1].name: missing"),
        (
            '[[service]]\nname = "a"\n[[service]]\nname = "b"\n[[service]]\nname = "a"',
            '6: service[3].name: found "a", expected a name of its own (service[1] has this one)',
        ),
        (
            '[[target]]\nmetric = "change_fale_rate"\nat_most = 1',
            '2: target[1].metric: found "change_fale_rate", '
            "expected the name of a metric; did you mean change_fail_rate?",
        ),
        (
            '[[target]]\nmetric = "cfr"\nat_most = 15',
            '3: target[1].at_most: found 15, expected a share such as "15%" or 0.15',
        ),
        (
            '[[target]]\nmetric = "cfr"\nat_most = "115%"',
            '3: target[1].at_most: found "115%", expected a share such as "15%" or 0.15',
        ),
        (
            '[[target]]\nmetric = "mttr"\nat_most = 3600',
            "3: target[1].at_most: found 3600, "
            'expected a duration such as "90s", "30min", "4h", "2d" or "1w"',
        ),
        (
            '[[target]]\nmetric = "deployment_frequency"\nat_least = inf',
            "3: target[1].at_least: found inf, expected a number, 0 or more",
        ),
        (
            '[[target]]\nmetric = "deployment_frequency"\nat_least = -1',
            "3: target[1].at_least: found -1, expected a number, 0 or more",
        ),
        (
            '[[target]]\nmetric = "mttr"',
            "1: target[1]: found a table, expected at_most or at_least, or both",
        ),
        (
            '[[target]]\nmetric = "cfr"\nat_least = 0.5\nat_most = 0.1',
            "1: target[1]: found a table, expected at_least not above at_most",
        ),
        (  # the same metric under two names
            '[[target]]\nmetric = "cfr"\nat_most = 0.5\n'
            '[[target]]\nmetric = "change_fail_rate"\nat_least = 0.1',
            '5: target[2].metric: found "change_fail_rate", expected one target for a metric and '
            "scope; it can have both at_least and at_most (target[1] is another)",
        ),
        (
            '[[target]]\nmetric = "cfr"\nat_most = 0.5\nscope = "payments"',
            '4: target[1].scope: found "payments", expected "service:NAME" or "team:NAME"',
        ),
        (
            '[[service]]\nname = "checkout"\n'
            '[[target]]\nmetric = "cfr"\nat_most = 0.5\nscope = "service:chekout"',
            '6: target[1].scope: found "service:chekout", expected a service or team that a '
            "[[service]] table declares; did you mean service:checkout?",
        ),
        (
            '[[step]]\nmetric = "cfr"\non = "2026-01-05"\nwhy = "new pipeline"',
            '3: step[1].on: found "2026-01-05", expected a date without quotes, as in 2026-03-31',
        ),
        ("[[event]]\non = 2026-01-05", "1: event[1].what: missing"),
    ],
)
def test_a_mistake_is_told_with_place_found_expected_and_nearest_name(
    file: Path, text: str, expected: str
) -> None:
    assert mistakes(file, text) == [f"vpemetrics.toml:{expected}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(file: Path) -> None:
    text = """\
        bogus = 1
        [organisation]
        timezone = "Dublin"
        [failures]
        suspect_within = "soon"
        [[service]]
        name = "a"
        [[service]]
        name = "a"
        [[target]]
        metric = "speed"
        at_most = 1
        scope = "team:nobody"
        """

    told = mistakes(file, text, {"VPEMETRICS_LEAD_TIME_START": "never"})

    assert [line.split(": found")[0].split(": unknown")[0] for line in told] == [
        "vpemetrics.toml:1: bogus",
        "vpemetrics.toml:3: organisation.timezone",
        "vpemetrics.toml:5: failures.suspect_within",
        "vpemetrics.toml:9: service[2].name",
        "vpemetrics.toml:11: target[1].metric",
        "vpemetrics.toml:13: target[1].scope",
        "environment: VPEMETRICS_LEAD_TIME_START",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('store = "a"\nname = = 1', 2),
        ("a = [1,\n2", 2),  # the end of the file
        ("a = 1\na = 2\n", 2),
        ('a = "x', 1),
    ],
)
def test_broken_toml_is_told_with_its_line(file: Path, text: str, line: int) -> None:
    (told,) = mistakes(file, text)

    assert told.startswith(f"vpemetrics.toml:{line}: not valid TOML: ")


def test_another_encoding_is_told_with_its_line(file: Path) -> None:
    file.write_bytes('[organisation]\nname = "Ä"\n'.encode("latin-1"))

    with pytest.raises(ConfigurationErrors, match=r"vpemetrics.toml:2: not UTF-8"):
        load(file, {})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'[sources.hub]\ntype = "files"\ntoken = "{TOKEN}"', "3: sources.hub.token"),
        (f'[organisation]\nname = "{TOKEN}"', "2: organisation.name"),
        (f'[organisation]\nnmae = "{TOKEN}"', "2: organisation.nmae"),
        (f'[[bots]]\nauthors = ["{TOKEN}"]', "1: bots"),
        (f'store = "postgresql://me:{TOKEN}@db/metrics"', "1: store"),
        (f'store = "postgresql://me:x{TOKEN[5:]}@db/metrics"', "1: store"),
        (f'store = "env:{TOKEN}"', "1: store"),
    ],
)
def test_a_literal_secret_is_refused_with_the_way_to_do_it_and_never_repeated(
    file: Path, text: str, place: str
) -> None:
    told = "\n".join(mistakes(file, text))

    assert TOKEN[5:] not in told
    assert f"vpemetrics.toml:{place}" in told
    assert "env:NAME" in told


def test_a_setting_named_for_a_secret_takes_a_reference_only(file: Path) -> None:
    told = mistakes(file, '[sources.hub]\ntype = "files"\npassword = "hunter2"')

    assert "hunter2" not in "\n".join(told)
    assert any("sources.hub.password: a secret stands here itself" in line for line in told)


def test_the_environment_stands_above_the_file(file: Path) -> None:
    file.write_text('[organisation]\nname = "File"\ntimezone = "UTC"', encoding="utf-8")
    environ = {
        "VPEMETRICS_ORGANISATION_NAME": "Environment",
        "VPEMETRICS_ORGANISATION_TIMEZONE": "",  # empty is not set
        "VPEMETRICS_FAILURES_SUSPECT_WITHIN": "1h",
    }

    configuration = load(file, environ)

    assert configuration.rules() == Rules(
        organisation="Environment", incident_window=timedelta(hours=1)
    )
    assert configuration.from_environment == ("organisation.name", "failures.suspect_within")


def test_the_environment_works_without_a_file() -> None:
    assert load(None, {"VPEMETRICS_ORGANISATION_TIMEZONE": "Asia/Tokyo"}).rules().zone == (
        "Asia/Tokyo"
    )


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        (
            "VPEMETRICS_ORGANISATION_TIMEZONE",
            "Tokio",
            'found "Tokio", expected a time zone such as "Europe/Dublin"; did you mean',
        ),
        (
            "VPEMETRICS_ORGANISATION_TIMEZON",
            "UTC",
            "unknown setting; did you mean VPEMETRICS_ORGANISATION_TIMEZONE?",
        ),
        (
            "VPEMETRICS_PRODUCTION_ENVIRONMENTS",
            "prod",
            "production.environments can be set in the file only",
        ),
        ("VPEMETRICS_SERVICE_NAME", "a", "service.name can be set in the file only"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    variable: str, value: str, expected: str
) -> None:
    with pytest.raises(ConfigurationErrors) as refused:
        load(None, {variable: value})

    (told,) = refused.value.mistakes
    assert told.startswith(f"environment: {variable}: {expected}")


def test_other_variables_are_left_alone(file: Path) -> None:
    file.write_text('store = "env:VPEMETRICS_STORES"', encoding="utf-8")
    environ = {
        "VPEMETRICS_STORES": "postgresql://me:pw@db/m",  # like a setting, but referred to
        "VPEMETRICS_HOSTED_ON": "somewhere",
        "PATH": "/bin",
    }

    assert load(file, environ).settings.store == "env:VPEMETRICS_STORES"


def test_a_database_with_a_password_may_come_from_the_environment() -> None:
    configuration = load(None, {"VPEMETRICS_STORE": "postgresql://me:pw@db/m"})

    assert configuration.settings.store == "env:VPEMETRICS_STORE"
    assert "pw" not in repr(configuration)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=re.escape(f"{tmp_path}: Is a directory")):
        load(tmp_path, {})


def test_the_nearest_file_upward_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "vpemetrics.toml").touch()
    (tmp_path / "a" / "vpemetrics.toml").touch()

    assert find(inner, None, {}) == tmp_path / "a" / "vpemetrics.toml"


def test_the_file_asked_for_comes_first(tmp_path: Path) -> None:
    (tmp_path / "vpemetrics.toml").touch()
    (tmp_path / "other.toml").touch()

    assert find(tmp_path, tmp_path / "other.toml", {}) == tmp_path / "other.toml"


def test_a_file_asked_for_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "vpemetrics.toml").touch()

    with pytest.raises(FixConfiguration, match=r"other.toml: there is no such configuration"):
        find(tmp_path, tmp_path / "other.toml", {})


@pytest.mark.parametrize(
    ("variable", "folder"), [("XDG_CONFIG_HOME", "vpemetrics"), ("HOME", ".config/vpemetrics")]
)
def test_the_users_file_comes_last(tmp_path: Path, variable: str, folder: str) -> None:
    work, users = tmp_path / "work", tmp_path / "user" / folder
    work.mkdir()
    users.mkdir(parents=True)
    (users / "vpemetrics.toml").touch()
    environ = {variable: str(tmp_path / "user")}

    assert find(work, None, environ) == users / "vpemetrics.toml"
    (work / "vpemetrics.toml").touch()
    assert find(work, None, environ) == work / "vpemetrics.toml"


@pytest.mark.parametrize("environ", [{}, {"XDG_CONFIG_HOME": "relative"}, {"HOME": ""}])
def test_there_may_be_no_file(tmp_path: Path, environ: dict[str, str]) -> None:
    assert find(tmp_path, None, environ) is None

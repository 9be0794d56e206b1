import pytest

from vpemetrics.collectors.gitops.options import Options
from vpemetrics.config.messages import dotted_name
from vpemetrics.config.source_checks import option_mistakes

SUBJECT = r"Deploy (?P<service>\S+) (?P<version>\S+) to (?P<environment>\S+)"
FILE = r"(?P<environment>[^/]+)/(?P<service>[^/]+)\.yaml"


@pytest.mark.parametrize(
    "given",
    [
        {"subject": SUBJECT},
        {"subject": r"Deploy (?P<version>\S+)", "service": "shop", "environment": "live"},
        {"file": FILE, "value": "image.tag"},
        {"file": "(?P<environment>.+)/values.yaml", "value": "{service}.tag"},
        {"file": "values.yaml", "value": "tag", "service": "shop", "environment": "live"},
    ],
)
def test_what_names_service_version_and_environment_once_is_fine(given: dict[str, str]) -> None:
    assert list(option_mistakes(("sources", "x"), Options, given)) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "needs subject or file"),
        ({"subject": SUBJECT, "file": FILE, "value": "tag"}, "needs subject or file"),
        ({"file": FILE}, "needs file and value together"),
        ({"subject": SUBJECT, "value": "tag"}, "needs file and value together"),
        ({"subject": "("}, "subject is no regular expression"),
        ({"file": FILE, "value": "a[x]"}, "no path into YAML from '[x]' on"),
        ({"subject": "(?P<version>.+)"}, "nothing names the service: it needs a group"),
        ({"subject": "(?P<service>.+)", "environment": "e"}, "nothing names the version"),
        ({"file": "a", "value": "{service}.tag"}, "(?P<environment>…), or environment for all"),
        ({"subject": SUBJECT, "service": "shop"}, "service is for all"),
    ],
)
def test_what_does_not_is_told_with_the_configuration(given: dict[str, str], told: str) -> None:
    (mistake,) = option_mistakes(("sources", "x"), Options, given)

    assert dotted_name(mistake.path) == "sources.x"
    assert told in mistake.problem

import pytest

from vpemetrics.config.ownership import (
    Component,
    parse_catalog,
    parse_codeowners,
    teams_of,
    teams_of_all,
)

OWNERS = """
# Who looks after what
*                 @acme/platform
*.js              @acme/web @ada     # and whatever is beside it
docs/*            docs@example.com @acme/writers
apps/             @acme/apps
/scripts/         @acme/tools
**/logs           @acme/observers
/build/logs/      @ada
/apps/free
my\\ file         @acme/spaces
![ab].txt         @acme/nobody
"""


@pytest.mark.parametrize(
    ("path", "teams"),
    [
        ("README.md", ("platform",)),
        ("src/deep/page.js", ("web",)),  # people are left out
        ("build/logs/today.txt", ()),  # the last match names a person only
        ("src/build/logs/today.txt", ("observers",)),  # a slash before the end starts at the root
        ("docs/start.md", ("writers",)),
        ("docs/deep/start.md", ("platform",)),  # /* goes no deeper
        ("other/docs/start.md", ("platform",)),
        ("apps/shop/main.py", ("apps",)),
        ("src/apps/shop/main.py", ("apps",)),  # a folder of this name anywhere
        ("apps", ("platform",)),  # a file is no folder
        ("apps/free/main.py", ()),  # the last match names nobody
        ("scripts/run.sh", ("tools",)),
        ("src/scripts/run.sh", ("platform",)),
        ("a/b/logs/c", ("observers",)),
        ("logs", ("observers",)),
        ("deep/my file", ("spaces",)),
        ("a.txt", ("platform",)),  # GitHub knows neither ! nor [ ]
    ],
)
def test_the_last_line_that_fits_a_path_names_its_teams(path: str, teams: tuple[str, ...]) -> None:
    assert teams_of(path, parse_codeowners(OWNERS)) == teams


@pytest.mark.parametrize(
    ("text", "teams"),
    [
        ("", ()),
        ("* @acme/web\n", ("web",)),
        ("* @acme/web @acme/api\n", ("web", "api")),
        ("* @ada\n", ()),
        ("* @acme/web\n* @ada\n", ()),  # the last match wins, teams or not
        ("** @acme/web\n", ("web",)),
        ("/** @acme/web\n", ("web",)),
        ("* @acme/web\n/src/ @acme/api\n*.md @acme/docs\n", ("web",)),
        ("/src/ @acme/api\n", ()),  # nothing is said of the rest
    ],
)
def test_a_repository_is_of_the_teams_that_own_what_is_not_special(
    text: str, teams: tuple[str, ...]
) -> None:
    assert teams_of_all(parse_codeowners(text)) == teams


CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  annotations:
    github.com/project-slug: acme/shop
spec:
  type: service
  owner: {owner}
"""


@pytest.mark.parametrize(
    ("owner", "team"),
    [
        ("payments", "payments"),
        ("group:payments", "payments"),
        ("group:default/payments", "payments"),
        ("default/payments", "payments"),
        ("Group:default/payments", "payments"),
        ("user:ada", None),  # a person
        ("user:default/ada", None),
        ("", None),
        ("[payments]", None),
    ],
)
def test_a_component_tells_its_repository_and_team(owner: str, team: str | None) -> None:
    found = parse_catalog(CATALOG.format(owner=owner))

    assert found == (Component(name="checkout", repository="acme/shop", team=team),)


def test_of_several_documents_the_components_are_taken() -> None:
    more = "\n---\nkind: API\nmetadata: {name: prices}\n---\nkind: Component\nmetadata: {name: ui}"

    found = parse_catalog(CATALOG.format(owner="payments") + more)

    assert [one.name for one in found] == ["checkout", "ui"]
    assert found[1] == Component(name="ui", repository=None, team=None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "{",
        "kind: Component",
        "kind: Component\nmetadata: {name: 3}",
        "- kind: Component",
        "a: !!python/object:os.system {}",
        "a: 2026-99-99",  # a date that is none
        "kind: Component\nmetadata: [name]",
    ],
)
def test_what_cannot_be_read_describes_nothing(text: str) -> None:
    assert parse_catalog(text) == ()

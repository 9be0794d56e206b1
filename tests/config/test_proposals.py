import re
from collections.abc import Mapping

import pytest

from vpemetrics.collectors.discovery import (
    EnvironmentOverview,
    RepositoryOverview,
    Tally,
    Versions,
    WorkflowOverview,
    sounds_like_deploying,
    sounds_like_incident,
)
from vpemetrics.config.proposals import (
    Choice,
    ProposedService,
    all_production,
    choices,
    drop_duplicates,
    environments_of,
    incidents_of,
    is_production,
    organisation_of,
    production_of,
    rules_of,
    services_of,
    tell_apart,
)

SHOP = RepositoryOverview(
    repository="acme/shop",
    environments=(
        EnvironmentOverview(name="production", production=True, deployments=Tally(count=133)),
        EnvironmentOverview(name="staging", production=False, deployments=Tally(count=410)),
    ),
    releases=Versions(tally=Tally(count=12), ever=40),
    merges=Tally(count=100, at_least=True),
    labels={"incident": Tally(count=9)},
    codeowners="* @acme/payments\n",
)
SEARCH = RepositoryOverview(
    repository="acme/search",
    releases=Versions(tally=Tally(count=3), ever=3),
    merges=Tally(count=20),
    labels={"incident": Tally()},
)
DOCS = RepositoryOverview(repository="acme/docs", merges=Tally(count=7))


def deployed_to(*environments: EnvironmentOverview) -> RepositoryOverview:
    return RepositoryOverview(repository="acme/shop", environments=environments)


def environment(name: str, count: int, *, production: bool = False) -> EnvironmentOverview:
    return EnvironmentOverview(name=name, production=production, deployments=Tally(count=count))


def chosen(*sights: RepositoryOverview) -> Choice:
    """What is proposed for repositories."""
    return choices(sights, production_of(sights))[0]


@pytest.mark.parametrize(
    ("environments", "names"),
    [
        ([environment("production", 3, production=True)], ("production",)),
        ([environment("eu", 3, production=True), environment("us", 9, production=True)],
         ("us", "eu")),  # the busiest first
        ([environment("prod-eu", 3), environment("live", 1)], ("prod-eu", "live")),  # by name
        ([environment("staging", 9), environment("live-data", 9)], ()),
        ([environment("Production", 1)], ("Production",)),
        ([], ()),
    ],
)  # fmt: skip
def test_production_is_what_is_marked_so_or_called_so(
    environments: list[EnvironmentOverview], names: tuple[str, ...]
) -> None:
    assert production_of([deployed_to(*environments)]) == names


def test_environments_are_counted_over_all_repositories_production_first() -> None:
    other = deployed_to(environment("production", 7), environment("qa", 900))

    found = environments_of([SHOP, other])

    assert {name: str(tally) for name, tally in found.items()} == {
        "production": "140",
        "qa": "900",
        "staging": "410",
    }
    assert list(found) == ["production", "qa", "staging"]


def test_each_repository_is_judged_by_the_best_that_it_has() -> None:
    choice = chosen(SHOP, SEARCH, DOCS)

    assert [f"{one.repository}: {one}" for one in choice.evidence] == [
        "acme/shop: environment `production`: 133 deployments in 90 days",
        "acme/search: 3 releases in 90 days",
    ]
    first, second = rules_of(choice)
    assert (first.kind, first.repositories) == ("environments", ("acme/shop",))
    assert (second.kind, second.repositories) == ("releases", ("acme/search",))
    assert all_production(choice, ("production",)) == ("production",)


def test_a_single_rule_is_for_all_repositories() -> None:
    (rule,) = rules_of(chosen(SHOP, DOCS))

    assert (rule.kind, rule.repositories) == ("environments", ())


MALL = deployed_to(
    environment("cart/production", 4),
    environment("search/production-eu", 3),
    environment("search/production-us", 2),
    environment("search/staging", 9),
    environment("github-pages", 1),
)


def test_environments_that_name_services_tell_them_apart() -> None:
    mall, other = (
        tell_apart(MALL),
        RepositoryOverview(repository="acme/desk", environments=SHOP.environments),
    )
    choice = chosen(other, mall)
    apart, rest = rules_of(choice)

    assert production_of([other, mall]) == ("production", "production-eu", "production-us")
    assert apart.reasons == (
        "acme/shop: environments `production`, `production-eu`, `production-us` of cart, search: "
        "9 deployments in 90 days",
    )
    assert (bool(apart.apart), apart.repositories) == (True, ("acme/shop",))
    assert (rest.apart, rest.repositories) == ("", ())
    assert [(one.name, one.repository) for one in services_of([other, mall], choice)] == [
        ("cart", None),
        ("desk", "acme/desk"),
        ("search", None),
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("cart-production", "search-production", "search-staging"),
        ("cart_prod-eu", "search_prod", "github-pages"),
        ("check-out-prod", "web.shop-live"),
    ],
)
def test_a_hyphen_or_an_underline_tells_services_apart_too(names: tuple[str, ...]) -> None:
    told = tell_apart(deployed_to(*(environment(name, 1) for name in names)))

    (rule,) = rules_of(chosen(told))
    split = {name: re.fullmatch(rule.apart, name) for name in names}
    assert [one.service for one in told.environments] == [
        "" if found is None else found["service"] for found in split.values()
    ]
    assert len({one.service for one in told.environments if is_production(one)}) == 2


def test_beside_rules_of_another_kind_none_is_for_all_repositories() -> None:
    rules = rules_of(chosen(tell_apart(MALL), SEARCH))

    assert [one.repositories for one in rules] == [("acme/shop",), ("acme/search",)]


@pytest.mark.parametrize(
    "names",
    [
        ("cart/production", "cart/staging"),  # one service only
        ("production/eu", "production/us"),  # the other way round
        ("cart/pr-1", "search/pr-2"),  # no production
        ("production", "staging"),
        ("prod-eu", "prod-us"),
        ("eu-prod", "us-prod", "ap-south-prod"),  # regions
        ("cart-prod", "cart-staging", "search-staging"),
        ("blue-green", "red-green"),
    ],
)
def test_environments_that_may_mean_anything_stay_whole(names: tuple[str, ...]) -> None:
    sight = deployed_to(*(environment(name, 1) for name in names))

    assert tell_apart(sight) == sight


@pytest.mark.parametrize(
    ("sight", "kind"),
    [
        (SHOP, "environments"),
        (SEARCH, "releases"),
        (DOCS, "merges"),  # nothing else anywhere
        (deployed_to(environment("staging", 9)), None),
        (RepositoryOverview(repository="a/b", tags=Versions(tally=Tally(count=2), ever=2)), "tags"),
        (
            RepositoryOverview(repository="a/b", tags=Versions(ever=41), merges=Tally(count=9)),
            "tags",
        ),
        (
            RepositoryOverview(
                repository="a/b",
                workflows=(WorkflowOverview(name="Deploy", runs=Tally(count=5)),),
                releases=Versions(tally=Tally(count=3), ever=3),
            ),
            "workflow",
        ),
        (RepositoryOverview(repository="a/b"), None),
    ],
)
def test_what_is_taken_for_a_deployment(sight: RepositoryOverview, kind: str | None) -> None:
    found = choices([sight], production_of([sight]))

    assert [one.evidence[0].kind for one in found][:1] == ([kind] if kind else [])


def test_old_versions_of_a_library_make_it_no_service_beside_what_is_deployed() -> None:
    library = RepositoryOverview(repository="acme/library", releases=Versions(ever=41))

    assert [one.repository for one in chosen(SHOP, library).evidence] == ["acme/shop"]


def test_every_way_of_telling_deployments_can_be_chosen_instead() -> None:
    names = [
        (one.name, str(one.tally)) for one in choices([SHOP, SEARCH], ("production",), "GitHub")
    ]

    assert names == [
        ("in each repository what it has", "136"),
        ("deployments that GitHub knows of", "133"),
        ("releases", "15"),
        ("merges to the default branch", "at least 120"),
    ]


def test_workflows_get_a_rule_each() -> None:
    sights = [
        RepositoryOverview(
            repository=f"acme/{name}", workflows=(WorkflowOverview(name=of, runs=Tally(count=2)),)
        )
        for name, of in (("a", "Deploy"), ("b", "Ship"), ("c", "Deploy"))
    ]

    first, second = rules_of(chosen(*sights))

    assert (first.workflow, first.repositories) == ("Deploy", ("acme/a", "acme/c"))
    assert (second.workflow, second.repositories) == ("Ship", ("acme/b",))
    assert all_production(chosen(*sights), ()) == ("production",)


@pytest.mark.parametrize(
    ("sights", "labels", "repositories"),
    [
        ([SHOP, SEARCH], {"incident": 9}, ()),
        ([SEARCH], {"incident": 0}, ()),  # none of late, but that is what marks them
        ([DOCS], {}, ()),
        (
            [SHOP, RepositoryOverview(repository="acme/ops", labels={"outage": Tally(count=2)})],
            {"incident": 9, "outage": 2},
            (),
        ),
        (
            [DOCS, RepositoryOverview(repository="acme/ops", labels={"outage": Tally(count=2)})],
            {"outage": 2},
            ("acme/ops",),  # a repository for incidents only
        ),
    ],
)
def test_incidents_are_the_issues_whose_labels_are_used_for_them(
    sights: list[RepositoryOverview], labels: Mapping[str, int], repositories: tuple[str, ...]
) -> None:
    found = incidents_of(sights, ["acme/shop"])

    assert {name: tally.count for name, tally in found.labels.items()} == labels
    assert found.repositories == repositories


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("incident", True),
        ("type: Incident", True),
        ("Outage", True),
        ("incident-sev1", True),
        ("post-incident review", False),
        ("incident follow-up", False),
        ("no-incident", False),
        ("not an incident", False),
        ("bug", False),
    ],
)
def test_labels_that_are_for_incidents(name: str, expected: bool) -> None:
    assert sounds_like_incident(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Deploy", True),
        ("deploy_prod", True),
        ("Release to production", True),
        ("CD", True),
        ("CI/CD", True),
        ("Deploy latest", True),  # has a test in it
        ("Deploy preview", False),
        ("deploy-staging", False),
        ("Deploy docs", False),
        ("Release Drafter", False),
        ("Tests", False),
        ("abcd", False),
    ],
)
def test_workflows_that_deploy(name: str, expected: bool) -> None:
    assert sounds_like_deploying(name) == expected


CATALOG = """
kind: Component
metadata:
  name: {name}
  annotations: {{github.com/project-slug: {slug}}}
spec: {{owner: {owner}}}
"""


def service(sight: RepositoryOverview) -> tuple[str, str | None, str]:
    (found,) = services_of([sight], chosen(sight))
    return found.name, found.team, found.said_by


@pytest.mark.parametrize(
    ("catalog", "codeowners", "expected"),
    [
        (None, None, ("search", None, "")),
        (None, "* @acme/finders", ("search", "finders", "CODEOWNERS")),
        (None, "* @acme/a @acme/b", ("search", "a", "CODEOWNERS, beside b")),
        (None, "* @ada", ("search", None, "")),
        (
            CATALOG.format(name="finder", slug="acme/search", owner="group:finders"),
            "* @acme/others",
            ("finder", "finders", "catalog-info.yaml"),
        ),
        (
            CATALOG.format(name="finder", slug="acme/search", owner="user:ada"),
            "* @acme/others",
            ("finder", "others", "CODEOWNERS"),
        ),
        (  # somebody else's
            CATALOG.format(name="finder", slug="acme/other", owner="finders"),
            None,
            ("search", None, ""),
        ),
        (  # several: none of them is the whole, but they are of one team
            CATALOG.format(name="ui", slug="acme/search", owner="finders")
            + "---"
            + CATALOG.format(name="api", slug="acme/search", owner="finders"),
            None,
            ("search", "finders", "catalog-info.yaml"),
        ),
    ],
)
def test_a_service_has_the_name_and_team_that_files_give_it(
    catalog: str | None, codeowners: str | None, expected: tuple[str, str | None, str]
) -> None:
    sight = RepositoryOverview(
        repository="acme/search",
        releases=Versions(tally=Tally(count=1), ever=1),
        catalog=catalog,
        codeowners=codeowners,
    )

    assert service(sight) == expected


def test_a_catalog_may_speak_of_another_repository() -> None:
    of_all = RepositoryOverview(
        repository="acme/catalog",
        catalog=CATALOG.format(name="finder", slug="Acme/Search", owner="finders"),
    )

    (found,) = services_of([SEARCH, of_all], chosen(SEARCH, of_all))

    assert (found.name, found.repository, found.team) == ("finder", "acme/search", "finders")


def test_services_of_one_name_are_tell_apart_by_their_owners() -> None:
    other = RepositoryOverview(repository="other/search", releases=SEARCH.releases)

    found = services_of([SEARCH, other], chosen(SEARCH, other))

    assert [one.name for one in found] == ["acme/search", "other/search"]


def test_no_two_services_have_one_name_or_one_repository() -> None:
    given = [
        ("shop", "acme/shop"),
        ("shop", "other/shop"),  # goes by its repository
        ("shop", "acme/shop"),  # the same again
        ("Shop", "Acme/Shop"),  # in whichever spelling
        ("till", "acme/shop"),  # and again, by another name
        ("api", None),
        ("api", None),
    ]

    found = drop_duplicates(ProposedService(name=name, repository=of) for name, of in given)

    assert [(one.name, one.repository) for one in found] == [
        ("shop", "acme/shop"),
        ("other/shop", "other/shop"),
        ("api", None),
    ]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ({"api": "services/api", "web": "web"}, [("api", "services/api"), ("web", "web")]),
        ({"web": "web"}, [("platform", None), ("web", "web")]),  # the rest is the repository
        ({"api": "api"}, [("api", "api"), ("platform", None)]),
    ],
)
def test_services_with_a_folder_of_their_name_are_parts_of_the_repository(
    folders: dict[str, str], expected: list[tuple[str, str | None]]
) -> None:
    sight = RepositoryOverview(
        repository="acme/platform",
        tags=Versions(tally=Tally(count=4), ever=4, services=("api", "web"), folders=folders),
    )

    found = drop_duplicates(services_of([sight], chosen(sight)))

    assert [(one.name, one.folder) for one in found] == expected
    assert {(one.repository, one.shares) for one in found} == {("acme/platform", None)}


def test_services_told_by_nothing_but_their_versions_are_the_repository() -> None:
    sight = RepositoryOverview(
        repository="acme/platform",
        tags=Versions(tally=Tally(count=4), ever=4, services=("api", "web")),
        codeowners="* @acme/core",
    )

    found = services_of([sight], chosen(sight))

    assert [(one.name, one.repository, one.team) for one in found] == [
        ("platform", "acme/platform", "core")
    ]


@pytest.mark.parametrize(
    ("repositories", "name"),
    [
        (["acme/shop", "acme/search", "ada/dots"], "Acme"),
        (["big-corp/shop"], "Big corp"),
        (["GoodName/shop"], "GoodName"),
        (["shop"], "Engineering"),
        ([], "Engineering"),
    ],
)
def test_the_organisation_goes_by_the_owner_of_most(repositories: list[str], name: str) -> None:
    assert organisation_of(repositories) == name

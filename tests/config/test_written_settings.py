"""What `init` writes is read again, and says what was proposed."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.discovery import Tally
from vpemetrics.collectors.github.options import Options
from vpemetrics.config.discover import (
    DeploymentEvidence,
    DeploymentRule,
    GitHubProposal,
    GitProposal,
    IncidentRule,
    Proposal,
    ProposedService,
)
from vpemetrics.config.load import load
from vpemetrics.config.sources import configured_sources
from vpemetrics.config.writing import render

DAY = date(2026, 9, 7)
SHOP = DeploymentEvidence(
    repository="acme/shop",
    kind="environments",
    tally=Tally(count=133),
    names=("production",),
)
SEARCH = DeploymentEvidence(
    repository="acme/search", kind="workflow", tally=Tally(count=1), names=("Ship",)
)
GITHUB = GitHubProposal(
    url="https://api.github.com",
    token="env:GITHUB_TOKEN",
    repositories=("acme/shop", "acme/search"),
    rules=(
        DeploymentRule(kind="environments", evidence=(SHOP,), repositories=("acme/shop",)),
        DeploymentRule(
            kind="workflow", evidence=(SEARCH,), workflow="Ship", repositories=("acme/search",)
        ),
    ),
    incidents=IncidentRule(
        labels={"incident": Tally(count=9)}, types={}, repositories=("acme/ops",)
    ),
)
WHOLE = Proposal(
    organisation="Acme",
    zone="Europe/Dublin",
    production=("production",),
    environments={"production": Tally(count=133), "staging": Tally(count=410, at_least=True)},
    sources=(GITHUB,),
    services=(
        ProposedService(name="shop", repository="acme/shop", team="payments", said_by="CODEOWNERS"),
        ProposedService(name="search", repository="acme/search"),
    ),
)

# Whatever names people give things, control characters and quotes among them.
names = st.text(min_size=1, max_size=12)
tallies = st.builds(Tally, count=st.integers(0, 10**6), at_least=st.booleans())
services = st.builds(
    ProposedService,
    name=names,
    repository=st.none() | names,
    team=st.none() | names,
    said_by=names,
)
proposals = st.builds(
    Proposal,
    organisation=names,
    zone=st.sampled_from(["UTC", "Europe/Dublin"]),
    production=st.lists(names, min_size=1, max_size=4).map(tuple),
    environments=st.dictionaries(names, tallies, max_size=15),
    sources=st.tuples(
        st.builds(
            GitProposal,
            name=names,
            path=names,
            deployments=st.sampled_from(["tags", "commits"]),
            why=names,
        )
    ),
    services=st.lists(services, max_size=3, unique_by=lambda one: one.name).map(tuple),
)


def loaded(proposal: Proposal, folder: Path) -> Any:
    path = folder / "vpemetrics.toml"
    path.write_text(render(proposal, DAY), encoding="utf-8")
    return load(path, {}).settings


@law(60, soak=20_000)
@given(proposal=proposals)
def test_whatever_things_are_called_the_file_says_it(
    proposal: Proposal, tmp_path_factory: Any
) -> None:
    found = loaded(proposal, tmp_path_factory.mktemp("any"))

    (source,) = proposal.sources
    assert isinstance(source, GitProposal)
    assert found.organisation.name == proposal.organisation
    assert found.organisation.timezone == proposal.zone
    assert found.production.environments == proposal.production
    assert [(one.name, one.team, one.repository) for one in found.service] == [
        (one.name, one.team, one.repository) for one in proposal.services
    ]
    assert found.sources[source.name].options == {
        "path": source.path,
        "deployments": source.deployments,
    }


def test_a_github_source_is_written_with_its_rules_and_incidents() -> None:
    github = tomllib.loads(render(WHOLE, DAY))["sources"]["github"]

    assert github == {
        "type": "github",
        "token": "env:GITHUB_TOKEN",
        "repositories": ["acme/shop", "acme/search"],
        "deployments": [
            {"from": "environments", "repositories": ["acme/shop"]},
            {
                "from": "workflow",
                "workflow": "Ship",
                "environment": "production",
                "repositories": ["acme/search"],
            },
        ],
        "incidents": {"labels": ["incident"], "repositories": ["acme/ops"]},
    }


def test_environments_that_name_services_are_taken_apart(tmp_path: Path) -> None:
    rules = (
        DeploymentRule(
            kind="environments", evidence=(SHOP,), apart=True, repositories=("acme/shop",)
        ),
    )
    text = render(replace(WHOLE, sources=(replace(GITHUB, rules=rules),)), DAY)
    (tmp_path / "vpemetrics.toml").write_text(text, encoding="utf-8")

    (source,) = configured_sources(load(tmp_path / "vpemetrics.toml", {}))

    assert isinstance(source.options, Options)
    (rule,) = source.options.deployments
    assert rule.repositories == ("acme/shop",)
    found = rule.expression and rule.expression.fullmatch("cart/production-eu")
    assert found
    assert found.groupdict() == {"service": "cart", "environment": "production-eu"}


def test_every_proposal_stands_beside_its_reason() -> None:
    lines = render(WHOLE, DAY).splitlines()

    assert "# Deployments in 90 days: production 133, staging at least 410." in lines
    assert "# acme/shop: environment `production`: 133 deployments in 90 days" in lines
    assert "# acme/search: workflow `Ship`: 1 successful run in 90 days" in lines
    assert "# incident: 9 issues in 90 days" in lines
    assert 'team = "payments"   # by CODEOWNERS' in lines
    assert max(map(len, lines)) <= 100


def test_what_is_written_is_nice_to_read() -> None:
    text = render(WHOLE, DAY)

    assert "\n\n\n" not in text
    assert text.endswith('repository = "acme/search"\n')
    assert "url" not in text  # github.com needs no address


def test_many_repositories_stand_below_each_other_and_a_few_give_reasons() -> None:
    many = tuple(f"acme/repository-{number}" for number in range(30))
    evidence = tuple(
        DeploymentEvidence(repository=name, kind="releases", tally=Tally(count=1)) for name in many
    )
    github = GitHubProposal(
        url="https://github.acme.example/api/v3",
        token="gh",
        repositories=many,
        rules=(DeploymentRule(kind="releases", evidence=evidence),),
        incidents=IncidentRule(labels={}, types={}),
    )
    proposal = Proposal(
        organisation="Acme",
        zone="UTC",
        production=("production",),
        environments={},
        sources=(github,),
        services=(),
    )

    text = render(proposal, DAY)

    said = tomllib.loads(text)["sources"]["github"]
    assert said["repositories"] == list(many)
    assert said["url"] == "https://github.acme.example/api/v3"
    assert "incidents" not in said
    assert '  "acme/repository-29",\n]' in text
    assert "# and 18 repositories more" in text
    assert '# labels = ["incident"]' in text


def test_what_holds_of_all_git_sources_is_said_once() -> None:
    clones = tuple(
        GitProposal(name=name, path=name, deployments="tags", why="2 version tags")
        for name in ("shop", "a name with spaces")
    )

    text = render(replace(WHOLE, sources=clones), DAY)

    assert text.count("fetch before you collect") == 1
    assert list(tomllib.loads(text)["sources"]) == ["shop", "a name with spaces"]

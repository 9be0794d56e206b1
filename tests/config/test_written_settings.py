"""What `init` writes is read again, and says what was proposed."""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.base import DiscoveryContext
from vpemetrics.collectors.discovery import (
    Comment,
    ForgeAnswers,
    IncidentRule,
    Section,
    Setting,
    SourceProposal,
    Tally,
)
from vpemetrics.collectors.github.discover import GitHubForge
from vpemetrics.collectors.github.options import Options
from vpemetrics.config.load import load
from vpemetrics.config.proposals import (
    Choice,
    DeploymentEvidence,
    IncidentEvidence,
    Proposal,
    ProposedService,
    rules_of,
)
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
INCIDENTS = IncidentEvidence(
    labels={"incident": Tally(count=9)}, types={}, repositories=("acme/ops",)
)


def github(
    *evidence: DeploymentEvidence,
    repositories: tuple[str, ...] = ("acme/shop", "acme/search"),
    incidents: IncidentRule | None = None,
    url: str = "https://api.github.com",
) -> SourceProposal:
    """What is proposed for repositories on GitHub."""
    forge = GitHubForge(
        host="github.com",
        token="env:GITHUB_TOKEN",
        clones=(),
        url=url,
        context=DiscoveryContext(now=datetime(2026, 9, 7, tzinfo=UTC), home=Path()),
    )
    return forge.propose(
        ForgeAnswers(
            repositories=repositories,
            deployments=rules_of(Choice(name="", evidence=evidence)),
            incidents=INCIDENTS.rule() if incidents is None else incidents,
        )
    )


def git(name: str) -> SourceProposal:
    return SourceProposal(
        name=name,
        type="git",
        lines=(Setting(key="path", value=name),),
        about="What is fetched is what counts, so fetch before you collect.",
    )


WHOLE = Proposal(
    organisation="Acme",
    zone="Europe/Dublin",
    production=("production",),
    environments={"production": Tally(count=133), "staging": Tally(count=410, at_least=True)},
    sources=(github(SHOP, SEARCH),),
    services=(
        ProposedService(name="shop", repository="acme/shop", team="payments", said_by="CODEOWNERS"),
        ProposedService(name="search", repository="acme/search"),
    ),
)

# Whatever names people give things, control characters and quotes among them.
names = st.text(min_size=1, max_size=12)
paths = names.filter(lambda name: "\0" not in name)  # no path can have one
tallies = st.builds(Tally, count=st.integers(0, 10**6), at_least=st.booleans())
services = st.builds(
    ProposedService,
    name=names,
    repository=st.none() | names,
    team=st.none() | names,
    said_by=names,
)
values = names | st.integers(0, 9) | st.booleans() | st.dates() | st.lists(names).map(tuple)
keys = st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(lambda key: key != "type")
settings = st.builds(Setting, key=keys, value=values, remark=names)
lines = st.lists(settings, max_size=3, unique_by=lambda line: line.key).map(tuple)
sections = st.builds(Section, name=names, lines=lines, is_list=st.booleans(), note=names)
sources = st.builds(
    SourceProposal,
    name=paths,
    type=st.just("files"),
    lines=st.tuples(st.builds(Setting, key=st.just("path"), value=paths, remark=names)),
    about=names,
)
proposals = st.builds(
    Proposal,
    organisation=names,
    zone=st.sampled_from(["UTC", "Europe/Dublin"]),
    production=st.lists(names, min_size=1, max_size=4).map(tuple),
    environments=st.dictionaries(names, tallies, max_size=15),
    sources=st.tuples(sources),
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
    assert isinstance(source.lines[0], Setting)
    assert found.organisation.name == proposal.organisation
    assert found.organisation.timezone == proposal.zone
    assert found.production.environments == proposal.production
    assert [(one.name, one.team, one.repository) for one in found.service] == [
        (one.name, one.team, one.repository) for one in proposal.services
    ]
    assert found.sources[source.name].options == {"path": source.lines[0].value}


@law(60, soak=20_000)
@given(lines=lines, section=sections)
def test_whatever_is_set_is_what_the_file_sets(
    lines: tuple[Setting, ...], section: Section
) -> None:
    assume(section.name not in ("type", *(line.key for line in lines)))
    source = SourceProposal(name="x", type="board", lines=lines, sections=(section,))

    found = tomllib.loads(render(replace(WHOLE, sources=(source,)), DAY))["sources"]["x"]

    inside = said(line for line in section.lines if isinstance(line, Setting))
    assert found == (
        {"type": "board"} | said(lines) | {section.name: [inside] if section.is_list else inside}
    )


def said(lines: Iterable[Setting]) -> dict[str, Any]:
    """The settings as TOML gives them back."""
    return {
        line.key: list(line.value) if isinstance(line.value, tuple) else line.value
        for line in lines
    }


def test_examples_and_remarks_set_nothing() -> None:
    example = Setting(key="since", value=date(2026, 1, 1), remark="default: none", is_example=True)
    section = Section(name="incidents", lines=(example,), is_example=True, note="There are none.")
    source = SourceProposal(
        name="x", type="board", lines=(Comment(text="It is ours."), example), sections=(section,)
    )

    text = render(replace(WHOLE, sources=(source,)), DAY)

    assert tomllib.loads(text)["sources"]["x"] == {"type": "board"}
    assert "\n# It is ours.\n# since = 2026-01-01   # default: none\n" in text
    assert "\n# There are none.\n# [sources.x.incidents]\n# # since = " in text


def test_a_github_source_is_written_with_its_rules_and_incidents() -> None:
    found = tomllib.loads(render(WHOLE, DAY))["sources"]["github"]

    assert found == {
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
    apart = replace(
        SHOP, services=("cart", "search"), apart="(?P<service>[^/]+)/(?P<environment>.+)"
    )
    text = render(replace(WHOLE, sources=(github(apart),)), DAY)
    (tmp_path / "vpemetrics.toml").write_text(text, encoding="utf-8")

    (source,) = configured_sources(load(tmp_path / "vpemetrics.toml", {}))

    assert isinstance(source.options, Options)
    (rule,) = source.options.deployments
    assert rule.repositories == ("acme/shop",)
    assert rule.expression
    assert rule.expression.fit("cart/production-eu") == {
        "service": "cart",
        "environment": "production-eu",
    }


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
    source = github(
        *evidence,
        repositories=many,
        incidents=IncidentRule(),
        url="https://github.acme.example/api/v3",
    )
    proposal = Proposal(
        organisation="Acme",
        zone="UTC",
        production=("production",),
        environments={},
        sources=(source,),
        services=(),
    )

    text = render(proposal, DAY)

    written = tomllib.loads(text)["sources"]["github"]
    assert written["repositories"] == list(many)
    assert written["url"] == "https://github.acme.example/api/v3"
    assert "incidents" not in written
    assert '  "acme/repository-29",\n]' in text
    assert "# and 18 repositories more" in text
    assert '# labels = ["incident"]' in text


def test_what_holds_of_all_git_sources_is_said_once() -> None:
    clones = tuple(map(git, ("shop", "a name with spaces")))

    text = render(replace(WHOLE, sources=clones), DAY)

    assert text.count("fetch before you collect") == 1
    assert list(tomllib.loads(text)["sources"]) == ["shop", "a name with spaces"]

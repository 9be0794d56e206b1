"""A proposal as the text of a vpemetrics.toml, with the reasons in comments."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from textwrap import wrap
from typing import Final

from vpemetrics.config.discover import (
    APART,
    PRODUCTION,
    DeploymentRule,
    GitHubProposal,
    GitProposal,
    IncidentRule,
    Proposal,
    ProposedService,
    counted,
)
from vpemetrics.names import first_few

_WIDTH: Final = 96
_REASONS: Final = 12
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_PUBLIC: Final = "https://api.github.com"


def render(proposal: Proposal, day: date) -> str:
    """The text of the file; what it says when loaded is the proposal."""
    parts = [
        _head(day),
        _organisation(proposal),
        _production(proposal),
        *_sources(proposal.sources),
        *_services(proposal.services),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head(day: date) -> Iterable[str]:
    yield from _comment(
        f"Written by `vpemetrics init` on {day:%Y-%m-%d}, from what it found then and what was "
        "answered. Change what you like; docs/configuration.md describes every setting, "
        "docs/collectors.md those of sources."
    )


def _organisation(proposal: Proposal) -> Iterable[str]:
    yield "[organisation]"
    yield from _aligned(
        (f"name = {_text(proposal.organisation)}", "at the head of every report"),
        (f"timezone = {_text(proposal.zone)}", "weeks begin on Monday, 00:00 here"),
    )


def _production(proposal: Proposal) -> Iterable[str]:
    yield "[production]"
    seen = [f"{name} {tally}" for name, tally in proposal.environments.items()]
    if seen:
        yield from _comment(f"Deployments in 90 days: {_some(seen)}.")
    yield from _setting("environments", proposal.production)


def _sources(sources: Sequence[GitHubProposal | GitProposal]) -> Iterator[Iterable[str]]:
    told = False
    for source in sources:
        if isinstance(source, GitHubProposal):
            yield _github(source)
        else:
            yield _git(source) if told else [*_about_git(), *_git(source)]
            told = True


def _about_git() -> Iterable[str]:
    return _comment(
        "What is fetched is what counts, so fetch before you collect. Git knows no incidents and "
        "no reviews; docs/collectors.md tells where else they may come from."
    )


def _git(source: GitProposal) -> Iterable[str]:
    yield f"[sources.{_key(source.name)}]"
    yield 'type = "git"'
    yield f"path = {_text(source.path)}"
    yield from _aligned((f"deployments = {_text(source.deployments)}", source.why))


def _github(source: GitHubProposal) -> Iterable[str]:
    yield "[sources.github]"
    yield 'type = "github"'
    if source.url != _PUBLIC:
        yield f"url = {_text(source.url)}"
    yield from _aligned((f"token = {_text(source.token)}", "where it is; it never stands here"))
    yield from _setting("repositories", source.repositories)
    yield "# since = 2026-01-01   # default: 53 weeks before the first collection"
    for rule in source.rules:
        yield ""
        yield from _rule(rule)
    yield ""
    yield from _incidents(source.incidents)


def _rule(rule: DeploymentRule) -> Iterable[str]:
    yield "[[sources.github.deployments]]"
    yield f"from = {_text(rule.kind)}"
    if rule.workflow is not None:
        yield f"workflow = {_text(rule.workflow)}"
    if rule.apart:
        yield f"environment = '{APART}'"
    if rule.kind != "environments":
        yield f"environment = {_text(PRODUCTION)}"
    if rule.repositories:
        yield from _setting("repositories", rule.repositories)
    reasons = [f"{one.repository}: {one}" for one in rule.evidence]
    for reason in reasons[:_REASONS]:
        yield from _comment(reason)
    if len(reasons) > _REASONS:
        yield from _comment(f"and {len(reasons) - _REASONS} repositories more")


def _incidents(rule: IncidentRule) -> Iterable[str]:
    if not rule:
        yield from _comment(
            "No label or type of issues sounds like incidents. Without them there is no change "
            "fail rate, only the least it can be. Say what marks them here, or import them from "
            "files (docs/collectors.md)."
        )
        yield "# [sources.github.incidents]"
        yield '# labels = ["incident"]'
        return
    yield "[sources.github.incidents]"
    for name, tallies in (("labels", rule.labels), ("types", rule.types)):
        if tallies:
            said = [f"{one}: {counted(tally, 'issue')}" for one, tally in tallies.items()]
            yield from _comment(_some(said))
            yield from _setting(name, list(tallies))
    if rule.repositories:
        yield from _setting("repositories", rule.repositories)


def _services(services: Sequence[ProposedService]) -> Iterator[Iterable[str]]:
    if services and not any(one.team for one in services):
        yield _comment(
            "Nothing says who owns the services (CODEOWNERS with @org/team, catalog-info.yaml); "
            'with team = "…" reports tell the teams apart.'
        )
    for service in services:
        yield _service(service)


def _service(service: ProposedService) -> Iterable[str]:
    yield "[[service]]"
    yield f"name = {_text(service.name)}"
    if service.team is not None:
        yield from _aligned((f"team = {_text(service.team)}", f"by {service.said_by}"))
    if service.repository is not None:
        yield f"repository = {_text(service.repository)}"
    if service.shares is not None:
        if service.repository is None:
            yield f"# repository = {_text(_printable(service.shares))}"
        yield '# paths = ["…/**"]   # its part of the repository'


def _setting(name: str, values: Sequence[str]) -> Iterable[str]:
    """A list on one line if it fits there, else with a line for each value."""
    line = f"{name} = [{', '.join(map(_text, values))}]"
    if len(line) <= _WIDTH or len(values) < 2:
        yield line
        return
    yield f"{name} = ["
    yield from (f"  {_text(value)}," for value in values)
    yield "]"


def _aligned(*lines: tuple[str, str]) -> Iterable[str]:
    """Settings with a remark behind each, the remarks below each other."""
    width = max(len(setting) for setting, _ in lines)
    for setting, remark in lines:
        yield f"{setting:<{width}}   # {_printable(remark)}" if remark else setting


def _comment(text: str) -> Iterable[str]:
    return [f"# {line}" for line in wrap(_printable(text), _WIDTH - 2, break_on_hyphens=False)]


def _some(texts: Sequence[str]) -> str:
    return first_few(texts, _REASONS, rest=", and {} more")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A string of TOML: what JSON escapes it does too, and the one character that JSON does not."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _printable(text: str) -> str:
    """The text as it may stand in a comment: on one line, without control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))

"""A proposal as the text of a vpemetrics.toml, with the reasons in comments."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from textwrap import wrap
from typing import Final

from vpemetrics.collectors.discovery import Comment, Line, Section, Setting, SourceProposal
from vpemetrics.config.proposals import Proposal, ProposedService, first_dozen

_WIDTH: Final = 96
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


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
    yield from _align(
        (f"name = {_text(proposal.organisation)}", "at the head of every report"),
        (f"timezone = {_text(proposal.zone)}", "weeks begin on Monday, 00:00 here"),
    )


def _production(proposal: Proposal) -> Iterable[str]:
    yield "[production]"
    seen = [f"{name} {tally}" for name, tally in proposal.environments.items()]
    if seen:
        yield from _comment(f"Deployments in 90 days: {first_dozen(seen)}.")
    yield from _setting("environments", proposal.production)


def _sources(sources: Sequence[SourceProposal]) -> Iterator[Iterable[str]]:
    told: set[str] = set()
    for source in sources:
        about = [] if source.about in told else _comment(source.about)
        told.add(source.about)
        yield [*about, *_source(source)]


def _source(source: SourceProposal) -> Iterable[str]:
    table = f"sources.{_key(source.name)}"
    yield f"[{table}]"
    yield f"type = {_text(source.type)}"
    yield from _lines(source.lines)
    for section in source.sections:
        yield ""
        yield from _section(section, f"{table}.{_key(section.name)}")


def _section(section: Section, table: str) -> Iterable[str]:
    if section.note:
        yield from _comment(section.note)
    inside = [f"[[{table}]]" if section.is_list else f"[{table}]", *_lines(section.lines)]
    yield from (f"# {line}" for line in inside) if section.is_example else inside


def _lines(lines: Iterable[Line]) -> Iterable[str]:
    for line in lines:
        if isinstance(line, Comment):
            yield from _comment(line.text)
        elif line.is_example:
            yield from (f"# {text}" for text in _set(line))
        else:
            yield from _set(line)


def _set(setting: Setting) -> Iterable[str]:
    match setting.value:
        case tuple(values):
            return [*_comment(setting.remark), *_setting(setting.key, values)]
        case str(pattern) if setting.is_pattern and "'" not in pattern:
            value = f"'{pattern}'"
        case value_:
            value = _value(value_)
    return _align((f"{setting.key} = {value}", setting.remark))


def _services(services: Sequence[ProposedService]) -> Iterator[Iterable[str]]:
    if services and not any(service.team for service in services):
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
        yield from _align((f"team = {_text(service.team)}", f"by {service.said_by}"))
    if service.repository is not None:
        yield f"repository = {_text(service.repository)}"
    if service.folder is not None:
        part = _text(_printable(f"{service.folder}/**"))
        yield from _align((f"paths = [{part}]", "changes in there are its own; add what it shares"))
    elif service.shares is not None:
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


def _align(*lines: tuple[str, str]) -> Iterable[str]:
    """Settings with a remark behind each, the remarks below each other."""
    width = max(len(setting) for setting, _ in lines)
    for setting, remark in lines:
        yield f"{setting:<{width}}   # {_printable(remark)}" if remark else setting


def _comment(text: str) -> Iterable[str]:
    return [f"# {line}" for line in wrap(_printable(text), _WIDTH - 2, break_on_hyphens=False)]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A string of TOML: what JSON escapes it does too, and the one character that JSON does not."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: str | int | bool | date) -> str:
    """A single value as TOML writes it."""
    match value:
        case str():
            return _text(value)
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
    return str(value)


def _printable(text: str) -> str:
    """The text as it may stand in a comment: on one line, without control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))

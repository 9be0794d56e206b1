"""Explanations for whoever doubts a number: the records behind a figure, or one record's story."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from vpemetrics import __version__
from vpemetrics.errors import NotFound
from vpemetrics.metrics.dora import reference
from vpemetrics.metrics.evaluate import Windows, longest_window
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure, WindowRef
from vpemetrics.metrics.registry import ALIASES, METRICS, Metric
from vpemetrics.metrics.registry import find as find_metric
from vpemetrics.names import first_few, nearest_few
from vpemetrics.reports import cells, words
from vpemetrics.reports.explanation import Explanation
from vpemetrics.rules import Rules
from vpemetrics.store import Store, record_lookup
from vpemetrics.store.record_lookup import Match, View
from vpemetrics.usecases.figures_explained import behind
from vpemetrics.usecases.records_explained import KINDS, explain_record
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.reporting import EVERYTHING, Asked, subject
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date
from vpemetrics.window import MISSING, Window, from_micros

_ADDRESS: Final = re.compile(
    r"https?://[^/]+/(?P<repository>\S+?)(?:/-)?/"
    r"(?:pull|pulls|pull-requests|merge_requests)/(?P<number>\d+)\S*"
)


def _unnamed(_name: str) -> str | None:
    """Nobody else knows commits by names."""
    return None


def explain(
    store: Store,
    rules: Rules,
    name: str,
    asked: Asked = EVERYTHING,
    progress: Progress | None = None,
    commit_named: Callable[[str], str | None] = _unnamed,
) -> Explanation:
    """What is behind a metric's figure for a window and scope, or what was made of a record.

    Without a window it is the figure that a report shows beside its week, over the same weeks.
    `name` is a metric or its alias, a sha, `#123`, `owner/repository#123`, or the id of a
    deployment or incident; `kind:id` or `source:id` where one name means several. A version is
    found with and without its `v`; any other name may be one that `commit_named` has a sha for.
    NotFound if nothing is known under it, with names that resemble it.
    """
    bring_up_to_date(store, rules, progress)
    known = ReportContext.load(store, rules)
    metric = find_metric(name)
    if metric is not None:
        return _metric(store, known, metric, asked)
    with store.view() as view:
        match = _meant(view, name, commit_named)
    return explain_record(store, known, match)


def _metric(store: Store, known: ReportContext, metric: Metric, asked: Asked) -> Explanation:
    scope, _, of, facts = subject(store, known, asked)
    shown = longest_window(facts, of, scope, metric.name)
    window = asked.window or shown
    cut = Slice(facts=facts, scope=scope, window=window)
    figure = metric.measure(cut)
    with store.view() as view:
        found = behind(view, cut, figure)
    return Explanation(
        version=__version__,
        subject="metric",
        id=metric.name,
        title=_title(metric, figure, known.rules.zone),
        zone=known.rules.zone,
        data_as_of=None if known.data_as_of == MISSING else from_micros(known.data_as_of),
        choice="" if asked.window else _why(cut, of.main),
        definition=metric.definition,
        figure=figure,
        groups=found.groups,
        arithmetic=(*_without_value(figure), *found.arithmetic),
        curve=found.curve,
        hints=tuple(_elsewhere(of, window, shown)),
    )


def _without_value(figure: Figure) -> tuple[str, ...]:
    """Why there is neither a value nor a count."""
    nothing = figure.value is None and figure.n is None
    printed = figure.note in (None, words.NO_INCIDENT_SOURCE)
    return (figure.note or "",) if nothing and not printed else ()


def _title(metric: Metric, figure: Figure, zone: str) -> str:
    scope = figure.scope.name if figure.scope.kind == "organisation" else ""
    of = scope or f"{figure.scope.kind} {figure.scope.name}"
    return f"{metric.title} · {of} · {_dates(figure.window)} ({zone})"


def _dates(window: WindowRef) -> str:
    title, dates = words.title(window), words.dates(window, year=True)
    return title if dates in title else f"{title}, {dates}"


def _why(cut: Slice, main: Window) -> str:
    """Which weeks are explained where none were asked for, in the words of the report."""
    if cut.window == main:
        return ""
    frequency = find_metric("deployment_frequency")
    why = cells.longer_window_reason(frequency.measure(cut)) if frequency else ""
    shown = f"The {words.length(reference(cut.window))} that the report shows beside {main.label}"
    return f"{', '.join(filter(None, (shown, why)))}."


def _elsewhere(of: Windows, explained: Window, shown: Window) -> Iterator[str]:
    """How to ask for the other windows over which the report shows it."""
    for longer in dict.fromkeys((of.headline, shown)):
        if longer not in (explained, of.main):
            length = words.length(reference(longer))
            yield f"The report's {length}: --from {longer.start} --to {longer.end}"
    if explained != of.main:
        yield f"That week alone: --week {of.main.label}"


def _meant(view: View, name: str, commit_named: Callable[[str], str | None]) -> Match:
    """The one record a name means. NotFound lists candidates if there are several."""
    name = _of_address(name)
    found = _found(view, name) or _found(view, _other_spelling(name))
    sha = None if found else commit_named(name)
    if sha:
        found = _found(view, sha)
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(_ambiguous(name, found))
    if sha:
        raise NotFound(f"{name} is commit {sha[:12]}, which was not collected")
    raise NotFound(_unknown(view, name))


def _of_address(name: str) -> str:
    """What the address of a pull request names, as `owner/repository#123`; else the name."""
    found = _ADDRESS.fullmatch(name)
    return f"{found['repository']}#{found['number']}" if found else name


def _other_spelling(version: str) -> str:
    """A version with the `v` that it has not, or without the one it has."""
    return version[1:] if version.startswith("v") else f"v{version}"


def _found(view: View, name: str) -> list[Match]:
    found = record_lookup.find(view, name)
    qualifier, colon, rest = name.partition(":")
    if found or not colon:
        return found
    return [
        match
        for match in record_lookup.find(view, rest)
        if qualifier in (KINDS[match.kind], match.source)
    ]


def _ambiguous(name: str, found: list[Match]) -> str:
    names = sorted(_qualified(match, found) for match in found)
    shown = first_few(names, 10, between="\n", rest="\n… and {} more")
    return f"{name!r} may mean several records; say which:\n{shown}"


def _qualified(match: Match, among: list[Match]) -> str:
    """A name by which a record is meant alone."""
    same = [other for other in among if other.name == match.name]
    if len(same) == 1:
        return match.name
    if len({other.kind for other in same}) == len(same):
        return f"{KINDS[match.kind]}:{match.name}"
    return f"{match.source}:{match.name}"


def _unknown(view: View, name: str) -> str:
    said = f"nothing is known under {name!r}"
    near = nearest_few(name, [*METRICS, *ALIASES], likeness=0.7)
    near += nearest_few(name, record_lookup.find_similar(view, name))
    if near:
        return f"{said}; did you mean {', '.join(near)}?"
    if name.isdecimal() and record_lookup.find(view, f"#{name}"):
        return f"{said}; did you mean '#{name}'? In a shell it wants the quotes"
    if (
        record_lookup.is_sha(name.ljust(record_lookup.SHORTEST_SHA, "0"))
        and len(name) < record_lookup.SHORTEST_SHA
    ):
        return f"{said}; a sha wants at least {record_lookup.SHORTEST_SHA} characters"
    return "\n".join(
        [
            said,
            "A record goes by its sha, as #123 or owner/repository#123, or by the id of the "
            "deployment, pull request or incident; of a release that is its tag",
            f"Metrics are {', '.join(METRICS)}",
        ]
    )


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")

"""A figure explained: over which weeks, from which records, and how it came from them."""

from collections.abc import Iterator

from vpemetrics import __version__
from vpemetrics.explain.derivations import derive
from vpemetrics.explain.model import Explanation
from vpemetrics.metrics.dora import reference
from vpemetrics.metrics.evaluate import Windows, longest_window
from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope, WindowRef
from vpemetrics.metrics.registry import METRICS, Metric
from vpemetrics.reports import cells, words
from vpemetrics.store.record_lookup import View
from vpemetrics.window import Window, known_instant


def explain_figure(
    view: View,
    metric: Metric,
    facts: MetricFacts,
    windows: Windows,
    scope: Scope,
    at: Window | None,
) -> Explanation:
    """A metric's figure of a window, by default the one over which a report shows it."""
    shown = longest_window(facts, windows, scope, metric.name)
    cut = Slice(facts=facts, scope=scope, window=at or shown)
    figure = metric.measure(cut)
    derivation = derive(view, cut, figure)
    return Explanation(
        version=__version__,
        subject="metric",
        id=metric.name,
        title=_title(metric, figure, cut.window.zone),
        zone=cut.window.zone,
        data_as_of=known_instant(facts.data_as_of),
        choice="" if at else _choice(cut, windows.main),
        definition=metric.definition,
        figure=figure,
        groups=derivation.groups,
        arithmetic=(*_lack(figure), *derivation.arithmetic),
        curve=derivation.curve,
        hints=tuple(_other_windows(windows, cut.window, shown)),
    )


def _lack(figure: Figure) -> tuple[str, ...]:
    """The reason why there is neither a value nor a count."""
    nothing = figure.value is None and figure.n is None
    printed = figure.note in (None, words.NO_INCIDENT_SOURCE, words.NO_CHANGE_SOURCE)
    return (figure.note or "",) if nothing and not printed else ()


def _title(metric: Metric, figure: Figure, zone: str) -> str:
    scope = figure.scope.name if figure.scope.kind == "organisation" else ""
    of = scope or f"{figure.scope.kind} {figure.scope.name}"
    return f"{metric.title} · {of} · {_dates(figure.window)} ({zone})"


def _dates(window: WindowRef) -> str:
    title, dates = words.title(window), words.dates(window, year=True)
    return title if dates in title else f"{title}, {dates}"


def _choice(cut: Slice, main: Window) -> str:
    """The weeks that are explained where none were asked for, in the words of the report."""
    if cut.window == main:
        return ""
    why = cells.longer_window_reason(METRICS["deployment_frequency"].measure(cut))
    shown = f"The {words.length(reference(cut.window))} that the report shows beside {main.label}"
    return f"{', '.join(filter(None, (shown, why)))}."


def _other_windows(windows: Windows, explained: Window, shown: Window) -> Iterator[str]:
    """Ways to ask for the other windows over which the report shows it."""
    for longer in dict.fromkeys((windows.headline, shown)):
        if longer not in (explained, windows.main):
            length = words.length(reference(longer))
            yield f"The report's {length}: --from {longer.start} --to {longer.end}"
    if explained != windows.main:
        yield f"That week alone: --week {windows.main.label}"

"""Explanations for whoever doubts a number: the records behind a figure, or one record's story."""

from collections.abc import Callable
from functools import partial
from shlex import quote
from typing import Final

from vpemetrics import __version__
from vpemetrics.errors import NotFound
from vpemetrics.explain.figures import explain_figure
from vpemetrics.explain.lookup import PRE_RELEASE, match_name, no_commit
from vpemetrics.explain.model import Explanation, Fact
from vpemetrics.metrics.registry import Metric
from vpemetrics.metrics.registry import find as find_metric
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.report_rows import last_deployment
from vpemetrics.usecases.reporting import EVERYTHING, Asked, subject
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date
from vpemetrics.version_tags import is_pre_release
from vpemetrics.window import known_instant


def explain(
    store: Store,
    rules: Rules,
    name: str,
    asked: Asked = EVERYTHING,
    progress: Progress | None = None,
    commit_named: Callable[[str], str | None] = no_commit,
) -> Explanation:
    """Return the records behind a figure for a window and scope, or the story of a record.

    Without a window it is the figure that a report shows beside its week, over the same weeks.
    `name` is a metric or its alias, a sha, `#123`, `owner/repository#123`, the id of a deployment
    or incident, or a service; `kind:id` or `source:id` where one name means several. A version is
    found with and without its `v`; any other name may be one that `commit_named` has a sha for.
    NotFound if nothing is known under it, with names that resemble it.
    """
    bring_up_to_date(store, rules, progress)
    known = ReportContext.load(store, rules)
    metric = find_metric(name)
    if metric is not None:
        return _explain_metric(store, known, metric, asked)
    # They load what traces services, which a figure has no need of.
    from vpemetrics.explain.records import explain_record
    from vpemetrics.explain.stories import RecordContext

    context = RecordContext(
        rules=rules,
        resolver=known.resolver,
        names=known.names,
        data_as_of=known.data_as_of,
        facts=partial(known.facts, store),
    )
    with store.view() as view:
        try:
            match = match_name(view, name, commit_named)
        except NotFound:
            if service := known.service_named(name):
                return _explain_service(store, known, service, asked)
            raise
        return _of_tag(explain_record(view, context, match), name)


def _of_tag(found: Explanation, name: str) -> Explanation:
    """The story of a commit, with why the tag that was asked for is no deployment."""
    if found.subject != "commit" or not is_pre_release(name):
        return found
    return found.model_copy(update={"facts": (Fact(name=name, text=PRE_RELEASE), *found.facts)})


def _explain_service(store: Store, known: ReportContext, service: str, asked: Asked) -> Explanation:
    """The story of a service: when it was last deployed, and whether reports count it."""
    everything = subject(store, known, Asked(window=asked.window))
    last = last_deployment(store, known, [service], everything.windows.main.end_at)
    told = [
        Fact(name="team", text=known.resolver.configured(service).team or "unowned"),
        Fact(name="counted", text="yes" if service in everything.services else _RETIRED),
    ]
    if last:
        told.append(Fact(name="last deployed", at=last.finished_at, text=last.deployment))
    return Explanation(
        version=__version__,
        subject="service",
        id=service,
        title=f"Service {service}",
        zone=known.rules.zone,
        data_as_of=known_instant(known.data_as_of),
        facts=tuple(told),
        hints=(f"its figures: vpemetrics report --service {quote(service)}",),
    )


_RETIRED: Final = (
    "no, it is retired: last deployed more than 52 weeks before the window ends, not within it, "
    "without an open incident, and not named by the configuration"
)


def _explain_metric(
    store: Store, known: ReportContext, metric: Metric, asked: Asked
) -> Explanation:
    scope, _, windows, facts = subject(store, known, asked)
    with store.view() as view:
        return explain_figure(view, metric, facts, windows, scope, asked.window)

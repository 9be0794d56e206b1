"""Explanations for whoever doubts a number: the records behind a figure, or one record's story."""

from collections.abc import Callable
from functools import partial

from vpemetrics.explain.figures import explain_figure
from vpemetrics.explain.lookup import match_name, no_commit
from vpemetrics.explain.model import Explanation
from vpemetrics.metrics.registry import Metric
from vpemetrics.metrics.registry import find as find_metric
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.reporting import EVERYTHING, Asked, subject
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date


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
    `name` is a metric or its alias, a sha, `#123`, `owner/repository#123`, or the id of a
    deployment or incident; `kind:id` or `source:id` where one name means several. A version is
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
        return explain_record(view, context, match_name(view, name, commit_named))


def _explain_metric(
    store: Store, known: ReportContext, metric: Metric, asked: Asked
) -> Explanation:
    scope, _, windows, facts = subject(store, known, asked)
    with store.view() as view:
        return explain_figure(view, metric, facts, windows, scope, asked.window)

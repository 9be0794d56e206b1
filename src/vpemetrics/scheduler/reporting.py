"""The report of a week, into its file."""

from collections.abc import Callable
from pathlib import Path

from vpemetrics.delivery.files import write
from vpemetrics.reports.registry import DRAWN, ENDINGS, WITH_PARTS, render_as
from vpemetrics.scheduler.plan import Plan
from vpemetrics.store import Store
from vpemetrics.usecases.fetch_hints import with_fetch
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import Micros, Window


def collected_between(
    store: Store, plan: Plan, progress: Callable[[int, int], None]
) -> tuple[Micros, Micros]:
    """From when to when deployments were collected; NoData without any."""
    bring_up_to_date(store, plan.rules, progress)
    return ReportContext.load(store, plan.rules).collected_between


def write_report(
    store: Store, plan: Plan, week: Window, progress: Callable[[int, int], None]
) -> Path:
    """Writes the report of a week; the path of its file."""
    path = plan.path(week)
    format_ = ENDINGS[path.suffix.lower()]
    asked = Asked(window=week, parts=format_ in WITH_PARTS, drawn=format_ in DRAWN)
    found = report(store, plan.rules, asked, progress)
    complete = with_fetch(found, plan.rules, store, plan.sources)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, render_as(complete, format_))
    return path

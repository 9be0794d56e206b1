"""The report of a week, into its file."""

import os
from collections.abc import Callable
from pathlib import Path

from vpemetrics.errors import FixConfiguration
from vpemetrics.files import make_folder, readers_of, write
from vpemetrics.reports.registry import DRAWN, ENDINGS, WITH_PARTS, render_as
from vpemetrics.scheduler.plan import Plan
from vpemetrics.store import Store
from vpemetrics.usecases.clone_problems import with_clone_problems
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
    """Write the report of a week; return the path of its file."""
    path = plan.path(week)
    format_ = ENDINGS[path.suffix.lower()]
    asked = Asked(window=week, parts=format_ in WITH_PARTS, drawn=format_ in DRAWN)
    found = report(store, plan.rules, asked, progress)
    complete = with_clone_problems(found, plan.rules, store, plan.sources)
    make_folder(path.parent)
    # What stands there from an earlier try keeps its permissions; whoever may read the folder,
    # a web server's group for one, may read its new reports too.
    write(path, render_as(complete, format_), readers_of(path.parent))
    return path


def make_room(plan: Plan) -> None:
    """Find out now, and not on Monday, that reports cannot be written."""
    folder = plan.folder
    make_folder(folder)
    if not os.access(folder, os.W_OK):
        raise FixConfiguration(f"schedule.output: {folder} is not yours to write to")

"""The one sentence above a report, bad news first."""

from typing import Final
from zoneinfo import ZoneInfo

from vpemetrics.reports import columns, signal_words, words
from vpemetrics.reports.model import LastDeployment, Report


def summarise(report: Report) -> str:
    """Say what a reader must know if they read nothing else."""
    return " ".join(
        filter(
            None,
            (
                _open_incidents(report),
                _open(report),
                _changed_metrics(report, "worse"),
                _events(report),
                _good(report),
            ),
        )
    )


def _changed_metrics(report: Report, word: str) -> str:
    """The metrics that got better, or worse, by their limits or since the quarter before."""
    found = (
        f"{words.name(metric)}: {said.replace(' W', ' in W')}."
        for metric, said in signal_words.words_of(report)
        if said.startswith(word)
    )
    return " ".join(found)


def _good(report: Report) -> str:
    """Say what got better; that nothing is out of the usual, where limits can tell."""
    if any(signal_words.words_of(report)) or not signal_words.has_words(report):
        return _changed_metrics(report, "better")
    earlier = report.new_levels or any(signal_words.signal_reasons(report))
    return "No new signal." if earlier else "No signal."


def _open_incidents(report: Report) -> str:
    """Name the worst incident that customers feel and that is not over, by its title."""
    felt = [one for one in report.open_incidents if one.customers]
    if not felt:
        return ""
    worst, more = felt[0], len(felt) - 1
    title = columns.cut(columns.plain(worst.title or worst.key), _LONGEST_TITLE)
    where = f" ({', '.join(worst.services)})" if worst.services else ""
    others = f" {words.quantity(more, 'more incident').capitalize()} like it." if more else ""
    return f'Open: "{title}"{where}, {words.duration(worst.lasting)}, customers affected.{others}'


_LONGEST_TITLE: Final = 80


def _open(report: Report) -> str:
    told = {one.key for one in report.open_incidents if one.customers}
    still = [
        row
        for row in report.failures
        if row.open and row.grade != "D" and told.isdisjoint(row.incidents)
    ]
    if not still:
        return ""
    longest = max(still, key=lambda row: row.recovery_time or 0.0)
    lasting = words.duration(longest.recovery_time or 0.0)
    if len(still) == 1:
        return f"One failure is still open ({longest.service}, {lasting})."
    return f"{len(still)} failures are still open, the longest for {lasting} ({longest.service})."


def _events(report: Report) -> str:
    frequency = report.figure("deployment_frequency")
    if frequency is None or frequency.n is None:
        return f"No data was collected for {words.title(report.window)}."
    if not frequency.n:
        return f"No deployment in {_collected_window(report)}{_last(report)}."
    failed = report.figure("change_fail_rate")
    deployments = words.quantity(frequency.n, "deployment")
    if failed is None or failed.k is None:
        return f"{deployments}."
    if failed.note:
        known = f"at least {words.count(failed.k)} failed" if failed.k else "no failure is known"
        return f"{deployments}; without an incident source {known}."
    so_far = " so far" if failed.provisional else ""
    if not failed.k and (unknown := _without_cause(report)):
        incidents = words.quantity(unknown, "incident")
        have = "has" if unknown == 1 else "have"
        return f"{deployments}, no failure traced to one yet; {incidents} {have} no known cause."
    how_many = words.count(failed.k) if failed.k else "none"
    return f"{deployments}, {how_many} of them failed{so_far}."


def _without_cause(report: Report) -> int:
    """Count the incidents of the window that nobody knows the cause of."""
    if report.incidents is None:
        return 0
    return report.incidents.total - report.incidents.known - report.incidents_external


def _collected_window(report: Report) -> str:
    """The window, or what is known of it."""
    title = words.title(report.window)
    return f"what was collected of {title}" if report.partial else title


def _last(report: Report) -> str:
    """Name the last deployment before a window without any, and its day."""
    one = report.last_deployment
    if one is None:
        return ""
    day = one.finished_at.astimezone(ZoneInfo(report.zone)).date()
    weeks = (report.window.start - day).days // 7
    earlier = f", {weeks} weeks earlier" if weeks > 1 else ""
    return f"; the last was {_deployment_name(one, report)} on {words.day(day, year=True)}{earlier}"


def _deployment_name(one: LastDeployment, report: Report) -> str:
    """The deployment, with its service where there are several and its own name lacks it."""
    if report.services.total < 2 or one.service in one.deployment:
        return one.deployment
    return f"{one.service} {one.deployment}"

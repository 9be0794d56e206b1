"""`vpemetrics schedule`: a process that collects and reports by itself until it is stopped."""

import os
from datetime import UTC, datetime

from vpemetrics.cli import output
from vpemetrics.cli.collecting import nothing_to_collect, sources_of
from vpemetrics.cli.session import Session, command
from vpemetrics.errors import FixConfiguration


@command
def schedule(session: Session) -> None:
    """Collect every hour and report every Monday, until stopped.

    When, and where reports go, says [schedule] in vpemetrics.toml.
    Example: vpemetrics schedule
    """
    from vpemetrics.config.sources import output_disclosures

    configuration = session.configuration()
    if configuration.path is None:
        raise FixConfiguration(
            "a schedule takes a vpemetrics.toml that names its sources, and there is none\n"
            f"`{session.hint('init')}` proposes one"
        )
    if not configuration.settings.sources:
        raise nothing_to_collect(configuration)
    sources_of(session, configuration, [])
    choice = session.choose_store(configuration)
    session.require_trust(configuration, output_disclosures(configuration, os.environ))
    session.note(str(choice))

    from vpemetrics.scheduler.log import ScheduleLog
    from vpemetrics.scheduler.plan import Plan
    from vpemetrics.scheduler.process import run_schedule

    plan = Plan.of(configuration, choice.location)
    log = ScheduleLog(plan, _now, output.print_beside, _describe_bug, quiet=session.quiet)
    run_schedule(plan, log, configuration.path, _now)


def _describe_bug(error: Exception) -> str:
    """Keep a log of a bug, and say where it is."""
    from vpemetrics.cli.crash_log import keep, message

    return message(error, keep(error, os.environ))


def _now() -> datetime:
    return datetime.now(UTC)

"""Data that must go: a source's, a repository's, or what is long past; by hand and by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from zoneinfo import ZoneInfo

from vpemetrics.collectors.git.mirror import find_mirrors, mirrors_home
from vpemetrics.errors import NotFound, StoreBusy, StoreFull
from vpemetrics.login import login_name
from vpemetrics.names import nearest_few
from vpemetrics.records import AuditEntry, counts_text
from vpemetrics.rules import Rules
from vpemetrics.store import Store, audit, forgetting
from vpemetrics.store.forgetting import Extent, ForgetRequest
from vpemetrics.store.record_lookup import View
from vpemetrics.store.report_marks import kept_from, note_kept_from
from vpemetrics.store.saving import hide
from vpemetrics.window import from_micros, midnight


@dataclass(frozen=True, kw_only=True)
class ForgetPlan:
    """All that is to go, and what it is called; `mirrors` are in the cache folder."""

    request: ForgetRequest
    name: str
    extent: Extent
    mirrors: tuple[Path, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is to go."""
        return self.extent.is_empty and not self.mirrors

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of facts of each kind, and of mirrors."""
        mirrors = {"mirrors": len(self.mirrors)} if self.mirrors else {}
        return {**self.extent.counts, **mirrors}


def plan_for_name(store: Store, name: str, environ: Mapping[str, str]) -> ForgetPlan:
    """Look at what goes with a source or, if none is called so, with a repository.

    NotFound if there is neither.
    """
    with store.view() as connection:
        request = _request(connection, name)
        return _look(connection, request, _beginning(request) + name, environ)


def plan_for_past(store: Store, day: date, zone: str, environ: Mapping[str, str]) -> ForgetPlan:
    """Look at what goes with the time before a day."""
    request = ForgetRequest(before=from_micros(midnight(day, zone)))
    with store.view() as connection:
        return _look(connection, request, f"before {day}", environ)


def was_forgotten(store: Store, name: str) -> datetime | None:
    """The moment at which a source or repository was forgotten last; None if it never was."""
    with store.view() as connection:
        subjects = (audit.OF_SOURCE + name, audit.OF_REPOSITORY + hide(connection, name))
        entries = audit.load(connection)
    found = (e.when for e in entries if e.action == audit.FORGET and e.subject in subjects)
    return next(found, None)


def forget(store: Store, plan: ForgetPlan, *, now: datetime) -> ForgetPlan:
    """Remove what a plan is about for good, and record it; return what it was by then.

    Mirrors go first, as they can be made anew at any time; then everything in the store, at
    once or not at all. `finish` then gives back the room.
    """
    for mirror in plan.mirrors:
        rmtree(mirror, ignore_errors=True)
    return _remove(store, plan, audit.FORGET, now)


def keep_only_and_finish(
    store: Store,
    keep: timedelta | None,
    rules: Rules,
    *,
    now: datetime,
    warn: Callable[[str], None],
) -> Mapping[str, int]:
    """Do all that retention asks for; return how many records of each kind went.

    What keeps the room from being given back is a warning: it is tried again the next time.
    """
    done = keep_only(store, keep, rules, now=now)
    try:
        finish(store)
    except (StoreBusy, StoreFull) as problem:
        warn(str(problem))
    return done.counts if done else {}


def finish(store: Store) -> None:
    """Give back the room of what was forgotten, where an earlier process did not come to it.

    StoreBusy or StoreFull where that cannot be done now; it stays noted until it was.
    """
    if store.wants_compaction():
        store.compact()


def keep_only(
    store: Store, keep: timedelta | None, rules: Rules, *, now: datetime
) -> ForgetPlan | None:
    """Forget what is older than it may be kept, once a day; None where that was done, or nothing.

    Another length counts at once.
    """
    if keep is None:
        return None
    today = now.astimezone(ZoneInfo(rules.zone)).date()
    day = today - keep
    with store.view() as connection:
        if kept_from(connection) == day.isoformat():
            return None
    plan = plan_for_past(store, day, rules.zone, {})
    done = _remove(store, plan, audit.RETENTION, now)
    return None if done.is_empty else done


def _request(connection: View, name: str) -> ForgetRequest:
    sources = forgetting.sources(connection)
    if name in sources:
        return ForgetRequest(source=name)
    names = forgetting.names_of_repository(connection, name)
    if names:
        return ForgetRequest(repository=names)
    near = nearest_few(name, [*sources, *forgetting.repositories(connection)])
    hint = f"did you mean {', '.join(near)}?" if near else f"sources: {', '.join(sources)}"
    raise NotFound(f"nothing is known of a source or repository {name!r}; {hint}")


def _beginning(request: ForgetRequest) -> str:
    return audit.OF_REPOSITORY if request.repository else audit.OF_SOURCE


def _look(
    connection: View, request: ForgetRequest, name: str, environ: Mapping[str, str]
) -> ForgetPlan:
    extent = forgetting.extent(connection, request)
    ids = extent.repositories
    mirrors = tuple(find_mirrors(mirrors_home(environ), ids)) if ids else ()
    return ForgetPlan(request=request, name=name, extent=extent, mirrors=mirrors)


def _remove(store: Store, plan: ForgetPlan, action: str, now: datetime) -> ForgetPlan:
    request = plan.request
    with store.transaction() as connection:
        done = replace(plan, extent=forgetting.forget(connection, request))
        subject = plan.name
        if request.repository:
            # The name is one of the things to forget; who knows it can tell that it was.
            name = plan.name.removeprefix(audit.OF_REPOSITORY)
            hidden = hide(connection, name)
            audit.hide(connection, request.repository, hidden)
            subject = audit.OF_REPOSITORY + hidden
        if not done.is_empty or action == audit.FORGET:
            what = counts_text(done.counts) or "nothing was known"
            entry = AuditEntry(
                when=now, action=action, subject=subject, what=what, who=login_name()
            )
            audit.record(connection, entry)
        if action == audit.RETENTION:
            note_kept_from(connection, plan.name.removeprefix("before "))
    return done

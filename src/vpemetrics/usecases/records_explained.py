"""What was made of one record: who shipped it, what kind it was, what it broke, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from vpemetrics import __version__
from vpemetrics.lineage.kinds import JudgedPart
from vpemetrics.lineage.rows import NONE, DeploymentRow, Kind
from vpemetrics.lineage.trace import ServiceFacts, judged
from vpemetrics.metrics import dora, flow
from vpemetrics.metrics.facts import CONFIRMED, Slice, seconds_between
from vpemetrics.metrics.figures import Scope, Unit
from vpemetrics.records import Change, Commit, Deployment, Incident, Status
from vpemetrics.reports import words
from vpemetrics.reports.explanation import Entry, Explanation, Fact, RecordGroup, RecordKind
from vpemetrics.store import Store, loading, record_lookup
from vpemetrics.store.history import Facts as StoredFacts
from vpemetrics.store.record_lookup import Match, View
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import DAY, MISSING, Micros, Window, date_of, from_micros, to_micros

KINDS: Final[Mapping[str, RecordKind]] = {
    Commit.KIND: "commit",
    Change.KIND: "pull_request",
    Deployment.KIND: "deployment",
    Incident.KIND: "incident",
}
"""What the records of a kind are called one by one."""


@dataclass(frozen=True, kw_only=True)
class _Story:
    """What there is to say of a record."""

    facts: tuple[Fact, ...]
    groups: tuple[RecordGroup, ...] = ()
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A judged part of a deployment, and the part that had brought its commit there before."""

    judged: JudgedPart
    earlier: DeploymentRow | None


def explain_record(store: Store, known: ReportContext, match: Match) -> Explanation:
    """What was made of a record; lineage must be up to date."""
    with store.view() as view:
        record = loading.load_one(view, match.kind, match.id)
        teller = _Teller(store, view, known)
        match record:
            case Commit():
                story = teller.commit(match.id, record)
            case Change():
                story = teller.change(match.id, record)
            case Deployment():
                story = teller.deployment(match.id, record)
            case Incident():
                story = teller.incident(match.id, record)
            case _:
                story = teller.missing_commit(match.id)
    kind = KINDS[match.kind]
    return Explanation(
        version=__version__,
        subject=kind,
        id=match.name,
        title=f"{kind.replace('_', ' ').capitalize()} {match.name}",
        url=story.url,
        zone=known.rules.zone,
        data_as_of=_at(known.data_as_of),
        facts=story.facts,
        groups=tuple(group for group in story.groups if group.entries),
    )


class _Teller:
    """Tells what lineage made of records, one view of the store long."""

    def __init__(self, store: Store, view: View, known: ReportContext) -> None:
        self._store = store
        self._view = view
        self._known = known
        self._zone = ZoneInfo(known.rules.zone)

    @cached_property
    def _stored(self) -> StoredFacts:
        return StoredFacts(self._view, self._known.resolver)

    # --- commits and pull requests --------------------------------------------------------------

    def missing_commit(self, sha: int) -> _Story:
        """A commit that something names and nobody collected."""
        said = "not collected: something names it, but its history is not known"
        return _Story(facts=(Fact(name="commit", text=said), *self._shipping(-sha)))

    def commit(self, sha: int, record: Commit) -> _Story:
        """A commit: whose it is, and what first brought it to production."""
        facts = [
            Fact(name="repository", text=record.repository),
            Fact(name="authored", at=record.authored_at, text="" if record.authored_at else "–"),
        ]
        said, item = self._owner(sha, record)
        facts.append(Fact(name="counts as", text=said))
        if record.reverts_sha:
            facts.append(Fact(name="reverts", text=record.reverts_sha[:12]))
        if item is None:
            return _Story(facts=tuple(facts))
        return _Story(
            facts=(*facts, *self._shipping(item)),
            groups=tuple(self._considered(item, record.committed_at or record.authored_at)),
        )

    def _owner(self, sha: int, record: Commit) -> tuple[str, int | None]:
        """Whose a commit is, in words and as a change; None where it is no change."""
        ownership = self._ownership(record.repository)
        place, picked = ownership.owner.get(sha), record.picked_from_sha is not None
        if place is not None:
            change = ownership.changes[place]
            way = "a commit of" if sha in ownership.originals[place] else _WAYS[picked]
            return f"{way} pull request {change.key}", change.id
        if sha in ownership.undecided:
            return "a commit of a pull request that is still open", None
        if ownership.graph.is_merge[ownership.graph.index[sha]]:
            return "a merge commit, which is no change", None
        root = ownership.pick_roots.get(sha, sha)
        if root != sha:
            origin = record_lookup.commits_of(self._view, [root])[root]
            return f"a cherry-pick of {origin[:12]}, which no pull request lists", -root
        return "a change of its own: no pull request lists it", -sha

    def _ownership(self, repository: str) -> Any:
        name = self._stored.canonical.get(repository, repository)
        return self._stored.history({name}, paths=False).ownership

    def change(self, id_: int, record: Change) -> _Story:
        """A pull request: its commits, where it shipped, and how long that took."""
        moments = (
            ("first commit", record.first_commit_at),
            ("created", record.created_at),
            ("ready for review", record.ready_at),
            ("first review", record.first_review_at),
            ("merged", record.merged_at),
        )
        facts = [
            *([Fact(name="title", text=record.title)] if record.title else []),
            *(Fact(name=name, at=at) for name, at in moments if at is not None),
        ]
        if record.merged_at is None:
            state = "closed without a merge" if record.closed_at else "open, not merged"
            return _Story(facts=(*facts, Fact(name="state", text=state)), url=record.url)
        return _Story(
            url=record.url,
            facts=(*facts, *self._shipping(id_), *self._waiting(id_)),
            groups=(*self._commits(id_, record), *self._considered(id_, record.merged_at)),
        )

    def _commits(self, id_: int, record: Change) -> Iterable[RecordGroup]:
        """The commits a pull request lists: its own, and those that belong to another."""
        ownership = self._ownership(record.repository)
        place = next(at for at, one in enumerate(ownership.changes) if one.id == id_)
        change, own = ownership.changes[place], ownership.originals[place]
        listed = list(dict.fromkeys([*change.commits, *own]))
        originals = dict.fromkeys([*own, change.merge_commit])
        copies = [pick for sha in originals for pick in _copies(sha, ownership)]
        shas = record_lookup.commits_of(self._view, [*listed, change.merge_commit, *copies])
        dates = ownership.facts.authored_at

        def entry(sha: int, what: str = "") -> Entry:
            at = ownership.graph.index.get(sha, NONE)
            when = _at(dates[at]) if at >= 0 else None
            said = what or ("" if at >= 0 else "not collected")
            return Entry(kind="commit", id=shas[sha], at=when, what=said)

        yield RecordGroup(title="Commits of its own", entries=tuple(map(entry, own)))
        others = [sha for sha in listed if sha not in own]
        entries = tuple(entry(sha, _elsewhere(sha, place, ownership)) for sha in others)
        yield RecordGroup(title="Commits it lists that do not count as its own", entries=entries)
        if change.merge_commit in shas:
            merge = (entry(change.merge_commit, _anothers(change.merge_commit, place, ownership)),)
            yield RecordGroup(
                title="Merged as (merge, squash or last rebased commit)", entries=merge
            )
        if copies:
            title = "Cherry-picked as, which ships it too"
            yield RecordGroup(title=title, entries=tuple(map(entry, copies)))

    def _waiting(self, change: int) -> Iterable[Fact]:
        for row in record_lookup.waiting_item(self._view, change):
            reason = row.reason
            said = "merged, not deployed yet" if reason is None else f"left out: {_reason(reason)}"
            yield Fact(name=self._known.names[row.service_id], text=said)

    def _shipping(self, item: int) -> Iterable[Fact]:
        """Where a change first shipped, service by service, and its lead time there."""
        shipped = record_lookup.shipped_item(self._view, item)
        named = record_lookup.deployments(self._view, [row.deployed_id for row in shipped])
        for row in shipped:
            service = self._known.names[row.service_id]
            said = f"first shipped by {named[row.deployed_id].name}"
            yield Fact(name=service, at=_at(row.finished_at), text=said)
            yield from self._lead_time(service, row)

    def _lead_time(self, service: str, row: Any) -> Iterable[Fact]:
        if row.reason is not None:
            yield Fact(name="  left out", text=_reason(row.reason))
            return
        cut = self._day(service, row.finished_at)
        samples = dora.lead_times(cut)
        for one in samples.where(samples["item"] == row.item).rows():
            yield Fact(name="  lead time", text=self._lead(one))
        spans = flow.stages(cut)
        for one in spans.where(spans["item"] == row.item).rows():
            parts = (
                f"{name.replace('_', ' ')} {words.duration(seconds)}"
                for name in flow.STAGES
                if (seconds := getattr(one, name))
            )
            yield Fact(name="  stages", text=" · ".join(parts))

    def _lead(self, one: Any) -> str:
        start = "its merge (original commits unknown)" if one.at_merge else self._start_word
        end, begin = self._clock(one.finished_at), self._clock(one.start_at)
        said = f"{end} − {begin} ({start}) = {_elapsed(one.seconds)}"
        clipped = one.finished_at < one.start_at
        return f"{said}, clock skew counts as 0" if clipped else said

    @property
    def _start_word(self) -> str:
        return self._known.rules.lead_time_start.value.replace("_", " ")

    def _day(self, service: str, at: Micros) -> Slice:
        """The facts of a service on the date of a moment, as figures see them."""
        zone = self._known.rules.zone
        window = Window(start=date_of(at, zone), end=date_of(at + DAY, zone), zone=zone)
        facts = self._known.facts(self._store, window).of((service,), pooled=False)
        return Slice(facts=facts, scope=Scope(kind="service", name=service), window=window)

    def _considered(self, item: int, since: datetime | None) -> Iterable[RecordGroup]:
        """Deployments after the change was there that came before the one that shipped it."""
        if since is None:
            return
        for row in record_lookup.shipped_item(self._view, item):
            service = row.service_id
            before = record_lookup.deployed_between(
                self._view, service, to_micros(since), row.finished_at
            )
            yield RecordGroup(
                title=f"Considered in {self._known.names[service]}, but without it",
                entries=self._deployments(before),
            )

    # --- deployments ----------------------------------------------------------------------------

    def deployment(self, id_: int, record: Deployment) -> _Story:
        """A deployment: its parts, its kind and why, what it shipped, what it broke."""
        row = record_lookup.deployed_as(self._view, id_)
        if row is None:
            return _Story(facts=(*self._run(record), self._why_not(record)), url=record.url)
        service = self._known.names[row.service_id]
        if row.kind == Kind.ATTEMPT:
            said = "failed attempt: it never reached production and is in none of the metrics"
            return _Story(facts=(*self._run(record), Fact(name="kind", text=said)), url=record.url)
        parts = self._parts(service, id_)
        facts = [
            *self._run(record),
            Fact(name="service", text=service),
            Fact(name="booked to", at=_at(row.finished_at)),
            Fact(name="kind", text=_kind(row, parts)),
            *self._why(parts),
            *_repeat(record, parts),
            Fact(name="rework", text=_unplanned(row.unplanned)),
            *self._recovery(service, row),
        ]
        evidence = record_lookup.evidence_about(self._view, deployed=row.id)
        mended = [
            one
            for one in record_lookup.evidence_mended_by(self._view, row.id)
            if one.deployed_id != row.id
        ]
        return _Story(
            url=record.url,
            facts=(*facts, *self._decisions(record.id)),
            groups=(
                *self._evidence(evidence),
                RecordGroup(title="Failures that it mended", entries=self._pieces(mended)),
                *self._carried(service, row),
            ),
        )

    def _run(self, record: Deployment) -> Iterable[Fact]:
        yield Fact(name="environment", text=record.environment)
        commit = record.commit_sha or "unknown"
        version = f" (version {record.version})" if record.version else ""
        yield Fact(name="commit", text=commit + version)
        if record.started_at:
            yield Fact(name="started", at=record.started_at)
        if record.finished_at:
            yield Fact(name="finished", at=record.finished_at, text=_status(record.status))
        else:
            yield Fact(name="status", text=_status(record.status))

    def _why_not(self, record: Deployment) -> Fact:
        """Why a record is in no metric at all."""
        repository = self._stored.canonical.get(record.repository or "", record.repository)
        service = self._known.resolver.name(record.service, repository)
        if service is None:
            said = "it names neither a service nor a repository"
        elif not self._known.resolver.is_production(service, record.environment):
            said = f"{record.environment} is no production environment"
        elif record.status == Status.IN_PROGRESS:
            said = "it is still going"
        else:
            said = "nobody says when it finished"
        return Fact(name="not counted", text=said)

    def _parts(self, service: str, record: int) -> list[_Part]:
        """The parts of the deployment that a record belongs to, judged once more."""
        repositories = self._stored.deployed_from[service]
        facts = ServiceFacts(
            service=self._known.resolver.configured(service),
            rows=self._stored.deployments([service])[service],
            history=self._stored.history(repositories, paths=False),
        )
        whole = set(record_lookup.records_with(self._view, record))
        every = [one for parts in judged(facts) for one in parts]
        mine = [one for one in every if one.part.id in whole]
        return [_Part(judged=one, earlier=_live_earlier(one, every)) for one in mine]

    def _why(self, parts: Sequence[_Part]) -> Iterable[Fact]:
        """Each part, what was live before it, and what that makes of it."""
        commits = (one.judged.before.commit for one in parts if one.judged.before)
        shas = record_lookup.commits_of(self._view, commits)
        for one in parts:
            part, before = one.judged.part, one.judged.before
            known = loading.load_one(self._view, Commit.KIND, part.commit) is not None
            said = [f"{part.key}: {_judgement(one, known=known)}"]
            if one.earlier and one.earlier != before and one.judged.kind in _PUT_BACK:
                when = self._clock(one.earlier.finished_at)
                said.append(f"brought there earlier by {one.earlier.key}, {when}")
            if before:
                commit, when = shas[before.commit][:7], self._clock(before.finished_at)
                said.append(f"live until then: {commit} by {before.key}, {when}")
            yield Fact(name=f"  {part.environment}", text="; ".join(said))

    def _recovery(self, service: str, row: Any) -> Iterable[Fact]:
        cut = self._day(service, row.finished_at)
        failed = cut.failures.where(cut.failures["deployed_id"] == row.id)
        if not len(failed):
            yield Fact(name="failed", text="no evidence that counts")
        for one in cut.facts.spells(failed, "start_at").rows():
            sure = "confirmed" if one.grade in CONFIRMED else "suspected"
            yield Fact(name="failed", text=f"{sure}, grade {one.grade}")
            yield Fact(name="  recovery", text=self._recovered(one))

    def _recovered(self, one: Any) -> str:
        if not one.timed:
            return "left out: nobody says when it was restored"
        start, now = self._clock(one.start_at), self._known.data_as_of
        if not one.over and now == MISSING:
            return f"still open, since {start}"
        end = self._clock(one.restored_at) if one.over else f"{self._clock(now)} (data as of)"
        still_open = "" if one.over else ", still open"
        return f"{end} − {start} = {_elapsed(one.seconds)}{still_open}"

    def _carried(self, service: str, row: Any) -> Iterable[RecordGroup]:
        """What a deployment was the first to ship: counted changes, then those left out."""
        shipped = record_lookup.shipped_in(self._view, row.id)
        named = record_lookup.items(self._view, [one.item for one in shipped])
        cut = self._day(service, row.finished_at)
        samples = dora.lead_times(cut).frame().groupby("item").seconds.max()

        def entry(one: Any) -> Entry:
            name = named[one.item]
            return Entry(
                kind=KINDS[name.kind],
                id=name.name,
                url=name.url,
                start_at=_at(MISSING if one.start_at is None else one.start_at),
                end_at=_at(row.finished_at),
                value=float(samples[one.item]) if one.item in samples.index else None,
            )

        counted = tuple(entry(one) for one in shipped if one.reason is None)
        yield RecordGroup(title="First shipped by it", unit=Unit.SECONDS, entries=counted)
        for reason in sorted({one.reason for one in shipped if one.reason is not None}):
            mine = tuple(entry(one) for one in shipped if one.reason == reason)
            title = f"First shipped by it, left out of lead time: {_reason(reason)}"
            yield RecordGroup(title=title, role="left_out", reason=reason, entries=mine)

    # --- incidents ------------------------------------------------------------------------------

    def incident(self, id_: int, record: Incident) -> _Story:
        """An incident: when it was, and what is held to have caused it."""
        began = record.impact_started_at or record.detected_at
        restored = record.mitigated_at or record.resolved_at
        moments = (
            ("impact started", record.impact_started_at),
            ("detected", record.detected_at),
            ("mitigated", record.mitigated_at),
            ("resolved", record.resolved_at),
        )
        facts = [
            *([Fact(name="title", text=record.title)] if record.title else []),
            Fact(name="services", text=", ".join(record.service) or "it names none"),
            *(Fact(name=name, at=at) for name, at in moments if at is not None),
            self._lasted(began, restored),
            Fact(name="customers", text=_customers(record)),
            *([Fact(name="external", text="its cause is outside")] if record.external else []),
        ]
        evidence = record_lookup.evidence_about(self._view, incident=id_)
        return _Story(
            url=record.url,
            facts=(*facts, *self._causeless(evidence), *self._decisions(record.id)),
            groups=tuple(self._evidence([one for one in evidence if one.deployed_id is not None])),
        )

    def _lasted(self, began: datetime | None, restored: datetime | None) -> Fact:
        if began is None:
            return Fact(name="lasted", text="unknown: nobody says when it began")
        if restored is None:
            return Fact(name="lasted", text="still open")
        seconds = float(seconds_between([to_micros(began)], [to_micros(restored)])[0])
        end, start = self._clock(to_micros(restored)), self._clock(to_micros(began))
        return Fact(name="lasted", text=f"{end} − {start} = {_elapsed(seconds)}")

    def _causeless(self, evidence: Sequence[Any]) -> Iterable[Fact]:
        if not evidence:
            yield Fact(name="cause", text="E: no service with deployments is concerned")
        for one in evidence:
            if one.deployed_id is None:
                kept = "" if one.chosen else " (overridden)"
                service = self._known.names[one.service_id]
                yield Fact(name="cause", text=f"E in {service}: {one.detail}{kept}")

    # --- evidence -------------------------------------------------------------------------------

    def _evidence(self, evidence: Sequence[Any]) -> Iterable[RecordGroup]:
        """Evidence that counts, and what was kept though something else was chosen."""
        for chosen, title in ((1, "Evidence that counts"), (0, "Evidence kept, but not chosen")):
            mine = [one for one in evidence if one.chosen == chosen]
            yield RecordGroup(title=title, entries=self._pieces(mine))

    def _pieces(self, evidence: Sequence[Any]) -> tuple[Entry, ...]:
        ids = [i for one in evidence for i in (one.deployed_id, one.restored_by) if i is not None]
        named = record_lookup.deployments(self._view, ids)
        return tuple(
            Entry(
                kind="deployment",
                id=named[one.deployed_id].name,
                url=named[one.deployed_id].url,
                service=self._known.names[one.service_id],
                what=_piece(one, named),
            )
            for one in evidence
            if one.deployed_id is not None
        )

    def _decisions(self, record: str) -> Iterable[Fact]:
        """What people decided; who they are stays in the store."""
        for row in record_lookup.decisions_about(self._view, record):
            cause = f" to {row.cause}" if row.cause else ""
            why = f": {row.why}" if row.why else ""
            yield Fact(name="triage", at=row.at, text=f"{row.verdict}{cause}{why}")

    def _deployments(self, rows: Sequence[Any]) -> tuple[Entry, ...]:
        named = record_lookup.deployments(self._view, [row.id for row in rows])
        return tuple(
            Entry(
                kind="deployment",
                id=named[row.id].name,
                url=named[row.id].url,
                at=_at(row.finished_at),
                what=", ".join(
                    filter(None, ((named[row.id].commit or "unknown commit")[:7], row.kind))
                ),
            )
            for row in rows
        )

    def _clock(self, at: Micros) -> str:
        return f"{from_micros(int(at)).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


def _elsewhere(sha: int, place: int, ownership: Any) -> str:
    """Why a listed commit is not a pull request's own."""
    return _anothers(sha, place, ownership) or "a merge commit"


def _anothers(sha: int, place: int, ownership: Any) -> str:
    """Which other pull request a commit belongs to; empty for none."""
    owner = ownership.owner.get(sha)
    return "" if owner in (None, place) else f"belongs to {ownership.changes[owner].key}"


def _copies(sha: int, ownership: Any) -> Iterable[int]:
    """The cherry-picks of a commit that were collected."""
    return (pick for pick in ownership.picks.get(sha, ()) if pick in ownership.graph.index)


def _live_earlier(one: JudgedPart, every: Iterable[JudgedPart]) -> DeploymentRow | None:
    """The last part before one that brought the same commit to the same environment."""
    found = [
        other.part
        for other in every
        if other.part.commit == one.part.commit != NONE
        and other.part.environment == one.part.environment
        and other.part.status != Status.ROLLED_BACK
        and _order(other.part) < _order(one.part)
    ]
    return max(found, key=_order, default=None)


def _order(part: DeploymentRow) -> tuple[Micros, str]:
    return part.finished_at, part.key


def _judgement(one: _Part, *, known: bool) -> str:
    """Why a part is of its kind."""
    part, before, kind = one.judged.part, one.judged.before, one.judged.kind
    if part.status == Status.ROLLED_BACK:
        return "its own run rolled it back, so it ships nothing and what was live stayed"
    if part.commit == NONE:
        return "its commit is unknown, so it counts as forward and ships nothing counted"
    if not known:
        return "its commit was not collected, so it counts as forward and ships nothing counted"
    if before is None:
        return "first known deployment there, so forward; what it ships is not counted"
    if kind == Kind.REDEPLOY and part.commit == before.commit:
        return "redeploy, the same commit was live"
    if kind == Kind.ROLLBACK and one.earlier is None:
        return "rollback, an ancestor of what was live, and the source marks it as a rollback"
    return _JUDGEMENTS[kind]


_WAYS: Final = {True: "a cherry-pick from", False: "brought in by"}
_PUT_BACK: Final = (Kind.ROLLBACK, Kind.REDEPLOY)
_JUDGEMENTS: Final[Mapping[Kind, str]] = {
    Kind.FORWARD: "forward, new there and not an ancestor of what was live",
    Kind.REDEPLOY: "redeploy, put back again: it contains what was live",
    Kind.ROLLBACK: "rollback, it does not contain what was live",
    Kind.STALE: "stale, an older build that was never live and finished late",
    Kind.ROLLOUT: "roll-out of what was already live in another environment",
}


def _repeat(record: Deployment, parts: Sequence[_Part]) -> Iterable[Fact]:
    """Says so where a record only repeats what was deployed to its environment."""
    if all(one.judged.part.key != record.id for one in parts):
        first = next(p for p in parts if p.judged.part.environment == record.environment)
        said = f"a repeat of {first.judged.part.key} within 60 minutes is the same deployment"
        yield Fact(name="  repeat", text=said)


def _kind(row: Any, parts: Sequence[_Part]) -> str:
    counts = "" if row.kind in ("forward", "redeploy", "rollback", "stale") else ", not counted"
    weightiest = (
        ", the weightiest of its parts" if len({one.judged.kind for one in parts}) > 1 else ""
    )
    return f"{row.kind}{weightiest}{counts}"


def _unplanned(why: str | None) -> str:
    return f"unplanned: {why}" if why else "no"


def _customers(record: Incident) -> str:
    if record.customer_affecting is not None:
        return "affected" if record.customer_affecting else "not affected"
    if record.severity is None:
        return "taken as not affected: neither it nor its severity says"
    affected = "affected" if record.severity <= 2 else "not affected"
    return f"taken as {affected} by its severity {record.severity}"


def _piece(one: Any, named: Mapping[int, record_lookup.NamedRecord]) -> str:
    sure = "confirmed" if one.grade in CONFIRMED else "suspected"
    about = f" ({one.incident})" if one.incident else ""
    mender = "" if one.restored_by in (None, one.deployed_id) else named[one.restored_by].name
    mended = f", mended by {mender}" if mender not in one.detail else ""
    return f"{one.grade} {sure}: {one.detail}{about}{mended}"


def _status(status: Status) -> str:
    return status.value.replace("_", " ")


def _reason(key: str) -> str:
    return words.reason(key)


def _elapsed(seconds: float) -> str:
    """`1 d 02:10:05 = 26 h`."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{f'{days} d ' if days else ''}{clock} = {words.duration(seconds)}"


def _at(at: Micros) -> datetime | None:
    return None if at == MISSING else from_micros(int(at))

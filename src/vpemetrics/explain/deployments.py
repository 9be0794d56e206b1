"""The stories of deployments: their parts, kinds and why, what they shipped and what they broke."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vpemetrics.explain.frames import frame
from vpemetrics.explain.model import KINDS, Entry, Fact, RecordGroup
from vpemetrics.explain.stories import RecordExplainer, RecordStory, elapsed_time
from vpemetrics.lineage.kinds import JudgedPart
from vpemetrics.lineage.rows import NONE, DeploymentRow, Kind
from vpemetrics.lineage.trace import LIVE, ServiceFacts, judged
from vpemetrics.metrics import dora
from vpemetrics.metrics.facts import CONFIRMED
from vpemetrics.metrics.figures import Unit
from vpemetrics.names import name_key
from vpemetrics.records import Deployment, Status
from vpemetrics.reports import words
from vpemetrics.store import record_lookup
from vpemetrics.store.commit_chunks import find_commit
from vpemetrics.version_tags import Aside
from vpemetrics.window import MISSING, Micros, known_instant

_PUT_BACK: Final = (Kind.ROLLBACK, Kind.REDEPLOY)
_ASIDE: Final[Mapping[Aside, str]] = {
    Aside.PRE_RELEASE: "a pre-release: builds of its version count from 0, or the version itself "
    "was made later",
    Aside.NO_PRODUCTION: "other versions of the repository are named as those of production, and "
    "this one is not",
}
_BOOKED_AT_START: Final = "; nobody says when it finished, so it is booked at its start"
_BY_VERSION: Final[Mapping[Kind, str]] = {
    Kind.FORWARD: "forward by its version, which was not live there before",
    Kind.REDEPLOY: "redeploy by its version, which was live there before and is none lower",
    Kind.ROLLBACK: "rollback by its version, lower than what was live",
    Kind.STALE: "stale by its version, lower than what was live and begun before that",
    Kind.ROLLOUT: "roll-out of a version that was already live in another environment",
}
_JUDGEMENTS: Final[Mapping[Kind, str]] = {
    Kind.FORWARD: "forward, new there and not an ancestor of what was live",
    Kind.REDEPLOY: "redeploy, put back again: it contains what was live",
    Kind.ROLLBACK: "rollback, it does not contain what was live",
    Kind.STALE: "stale, an older build that was never live and finished late",
    Kind.ROLLOUT: "roll-out of what was already live in another environment",
}


@dataclass(frozen=True, kw_only=True)
class DeploymentPart:
    """A judged part of a deployment, and the part that had brought its commit there before."""

    judged: JudgedPart
    earlier: DeploymentRow | None


class DeploymentExplainer(RecordExplainer):
    """The explainer of deployments."""

    def deployment(self, id_: int, record: Deployment) -> RecordStory:
        """A deployment: its parts, its kind and why, what it shipped, what it broke."""
        row = record_lookup.deployment_of(self.view, id_)
        if row is None:
            said = *self._run(record), self._exclusion(id_, record)
            return RecordStory(facts=said, url=record.url)
        service = self.context.names[row.service_id]
        if row.kind == Kind.ATTEMPT:
            text = "failed attempt: it never reached production and is in none of the metrics"
            return RecordStory(
                facts=(*self._run(record), Fact(name="kind", text=text)), url=record.url
            )
        parts = self._parts(service, row.id)
        facts = [
            *self._run(record),
            Fact(name="service", text=service),
            Fact(name="booked to", at=known_instant(row.finished_at)),
            Fact(name="kind", text=_kind(row, parts)),
            *self._part_facts(parts),
            *_repeat(record, parts),
            Fact(name="rework", text=_rework(row.unplanned)),
            *self._recovery(service, row),
        ]
        evidence = record_lookup.evidence_about(self.view, deployed=row.id)
        mended = [
            piece
            for piece in record_lookup.evidence_mended_by(self.view, row.id)
            if piece.deployed_id != row.id
        ]
        return RecordStory(
            url=record.url,
            facts=(*facts, *self.decisions(record.id)),
            groups=(
                *self.evidence(evidence),
                RecordGroup(title="Failures that it mended", entries=self.pieces(mended)),
                *self._shipments(service, row),
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
            booked = record.status in LIVE and record.started_at
            text = f"{_status(record.status)}{_BOOKED_AT_START if booked else ''}"
            yield Fact(name="status", text=text)

    def _exclusion(self, id_: int, record: Deployment) -> Fact:
        """The reason why a record is in no metric at all."""
        repository = self.lineage_facts.repository_named(record.repository or "")
        service = self.context.resolver.name(
            record.service, repository, is_prefix=bool(record.service_by_name)
        )
        if id_ in self.lineage_facts.versions_aside:
            said = _ASIDE[self.lineage_facts.versions_aside[id_]]
        elif service is None:
            said = "it names neither a service nor a repository"
        elif not self.context.resolver.is_production(service, record.environment):
            said = f"{record.environment} is no production environment"
        elif record.status == Status.IN_PROGRESS:
            said = "it is still going"
        else:
            said = "nobody says when it started or finished"
        return Fact(name="not counted", text=said)

    def _parts(self, service: str, deployed: int) -> list[DeploymentPart]:
        """The parts of a deployment, judged once more."""
        repositories = self.lineage_facts.deployed_from[service]
        facts = ServiceFacts(
            service=self.context.resolver.configured(service),
            records=self.lineage_facts.deployments([service])[service],
            history=self.lineage_facts.history(repositories, paths=False),
        )
        whole = set(record_lookup.records_with(self.view, deployed))
        every = judged(facts)
        mine = [judged_part for judged_part in every if judged_part.part.id in whole]
        return [
            DeploymentPart(judged=judged_part, earlier=_earlier_part(judged_part, every))
            for judged_part in mine
        ]

    def _part_facts(self, parts: Sequence[DeploymentPart]) -> Iterable[Fact]:
        """Each part, what was live before it, and what that makes of it."""
        before_it = (part.judged.before.id for part in parts if part.judged.before)
        named = record_lookup.deployments(self.view, list(before_it))
        for whole in parts:
            part, before, earlier = whole.judged.part, whole.judged.before, whole.earlier
            known = find_commit(self.view, part.commit) is not None
            said = [f"{part.key}: {_judgement(whole, known=known)}"]
            if earlier and earlier != before and whole.judged.kind in _PUT_BACK:
                when = self.clock(earlier.finished_at)
                said.append(f"brought there earlier by {earlier.key}, {when}")
            if before:
                commit, when = (named[before.id].commit or "")[:7], self.clock(before.finished_at)
                what = before.version if whole.judged.by_version else commit
                said.append(f"live until then: {what} by {before.key}, {when}")
            yield Fact(name=f"  {part.environment}", text="; ".join(said))

    def _recovery(self, service: str, row: Any) -> Iterable[Fact]:
        cut = self.facts_on(service, row.finished_at)
        failed = cut.failures.where(cut.failures["deployed_id"] == row.id)
        if not len(failed):
            yield Fact(name="failed", text="no evidence that counts")
        for spell in cut.facts.spells(failed, "start_at").rows():
            sure = "confirmed" if spell.grade in CONFIRMED else "suspected"
            yield Fact(name="failed", text=f"{sure}, grade {spell.grade}")
            yield Fact(name="  recovery", text=self._outcome(spell))

    def _outcome(self, spell: Any) -> str:
        if not spell.timed:
            return "left out: nobody says when it was restored"
        start, now = self.clock(spell.start_at), self.context.data_as_of
        if not spell.over and now == MISSING:
            return f"still open, since {start}"
        end = self.clock(spell.restored_at) if spell.over else f"{self.clock(now)} (data as of)"
        still_open = "" if spell.over else ", still open"
        return f"{end} − {start} = {elapsed_time(spell.seconds)}{still_open}"

    def _shipments(self, service: str, row: Any) -> Iterable[RecordGroup]:
        """The changes a deployment was the first to ship: those that count, then the others."""
        shipped = record_lookup.shipments_in(self.view, row.id)
        named = record_lookup.items(self.view, [item.item for item in shipped])
        cut = self.facts_on(service, row.finished_at)
        samples = frame(dora.lead_times(cut)).groupby("item").seconds.max()

        def entry(item: Any) -> Entry:
            name = named[item.item]
            return Entry(
                kind=KINDS[name.kind],
                id=name.name,
                url=name.url,
                start_at=known_instant(MISSING if item.start_at is None else item.start_at),
                end_at=known_instant(row.finished_at),
                value=float(samples[item.item]) if item.item in samples.index else None,
            )

        counted = tuple(entry(item) for item in shipped if item.reason is None)
        yield RecordGroup(title="First shipped by it", unit=Unit.SECONDS, entries=counted)
        for reason in sorted({item.reason for item in shipped if item.reason is not None}):
            mine = tuple(entry(item) for item in shipped if item.reason == reason)
            title = f"First shipped by it, left out of lead time: {words.reason(reason)}"
            yield RecordGroup(title=title, role="left_out", reason=reason, entries=mine)


def _earlier_part(judged_part: JudgedPart, every: Iterable[JudgedPart]) -> DeploymentRow | None:
    """The last part before judged_part that brought the same commit to the same environment."""
    found = [
        other.part
        for other in every
        if other.part.commit == judged_part.part.commit != NONE
        and other.part.environment == judged_part.part.environment
        and other.part.status != Status.ROLLED_BACK
        and _order(other.part) < _order(judged_part.part)
    ]
    return max(found, key=_order, default=None)


def _order(part: DeploymentRow) -> tuple[Micros, str]:
    return part.finished_at, part.key


def _judgement(whole: DeploymentPart, *, known: bool) -> str:
    """The reason why a part is of its kind."""
    part, before, kind = whole.judged.part, whole.judged.before, whole.judged.kind
    if part.status == Status.ROLLED_BACK:
        return "its own run rolled it back, so it ships nothing and what was live stayed"
    if whole.judged.by_version:
        unknown = "" if known else "; its commit is unknown, so it ships nothing counted"
        return f"{_BY_VERSION[kind]}{unknown}"
    if part.commit == NONE:
        return "its commit is unknown, so it counts as forward and ships nothing counted"
    if not known:
        return "its commit was not collected, so it counts as forward and ships nothing counted"
    if before is None:
        return "first known deployment there, so forward; what it ships is not counted"
    if kind == Kind.REDEPLOY and part.commit == before.commit:
        return "redeploy, the same commit was live"
    if kind == Kind.ROLLBACK and whole.earlier is None:
        return "rollback, an ancestor of what was live, and the source marks it as a rollback"
    return _JUDGEMENTS[kind]


def _repeat(record: Deployment, parts: Sequence[DeploymentPart]) -> Iterable[Fact]:
    """Say so where a record only repeats what was deployed to its environment."""
    if all(part.judged.part.key != record.id for part in parts):
        here = name_key(record.environment)
        first = next(p for p in parts if name_key(p.judged.part.environment) == here)
        said = f"a repeat of {first.judged.part.key} within 60 minutes is the same deployment"
        if record.chosen_by_name is not None:
            said = (
                f"{first.judged.part.key} is a version of the same commit, and counts: it was first"
            )
        yield Fact(name="  repeat", text=said)


def _kind(row: Any, parts: Sequence[DeploymentPart]) -> str:
    counts = "" if row.kind in ("forward", "redeploy", "rollback", "stale") else ", not counted"
    weightiest = (
        ", the weightiest of its parts" if len({part.judged.kind for part in parts}) > 1 else ""
    )
    return f"{row.kind}{weightiest}{counts}"


def _rework(why: str | None) -> str:
    return f"unplanned: {why}" if why else "no"


def _status(status: Status) -> str:
    return status.value.replace("_", " ")

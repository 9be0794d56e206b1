"""The stories of commits and pull requests: whose they are, and where and when they shipped."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from vpemetrics.explain.model import Entry, Fact, RecordGroup
from vpemetrics.explain.stories import RecordExplainer, RecordStory, elapsed_time
from vpemetrics.lineage.ownership import Ownership
from vpemetrics.lineage.rows import NONE
from vpemetrics.metrics import dora, flow
from vpemetrics.records import Change, Commit
from vpemetrics.reports import words
from vpemetrics.store import record_lookup
from vpemetrics.store.commit_chunks import shas_of
from vpemetrics.store.shas import commit_id
from vpemetrics.window import known_instant, to_micros

_WAYS: Final = {True: "a cherry-pick from", False: "brought in by"}


class ChangeExplainer(RecordExplainer):
    """The explainer of commits and pull requests."""

    def missing_commit(self, sha: int) -> RecordStory:
        """A commit that something names and nobody collected."""
        said = "not collected: something names it, but its history is not known"
        return RecordStory(facts=(Fact(name="commit", text=said), *self._shipping(-sha)))

    def commit(self, sha: int, record: Commit) -> RecordStory:
        """A commit: whose it is, and what first brought it to production."""
        facts = [
            Fact(name="repository", text=record.repository),
            Fact(name="authored", at=record.authored_at, text="" if record.authored_at else "–"),
        ]
        said, item = self._owner(sha, record)
        facts.append(Fact(name="counts as", text=said))
        if record.reverts_sha:
            shown = ", ".join(sha[:12] for sha in record.reverts_sha)
            facts.append(Fact(name="reverts", text=shown))
        if item is None:
            return RecordStory(facts=tuple(facts))
        return RecordStory(
            facts=(*facts, *self._shipping(item)),
            groups=tuple(self._candidates(item, record.committed_at or record.authored_at)),
        )

    def _owner(self, sha: int, record: Commit) -> tuple[str, int | None]:
        """The owner of a commit, in words and as a change; None where it is no change."""
        ownership = self._ownership(record.repository)
        owner, picked = ownership.owner_of(sha), record.picked_from_sha is not None
        if owner != NONE:
            way = "a commit of" if sha in ownership.own_of(owner) else _WAYS[picked]
            return f"{way} pull request {ownership.changes.keys[owner]}", int(
                ownership.changes.ids[owner]
            )
        if ownership.is_undecided(sha):
            return "a commit of a pull request that is still open", None
        place = ownership.graph.place(sha)
        if place in ownership.imports.merges:
            return "a change of its own: it brought in another repository's history", -sha
        if ownership.imports.history[place]:
            return "a commit of another repository, which a merge brought in: no change here", -sha
        if ownership.graph.is_merge[place]:
            return "a merge commit, which is no change", None
        root = ownership.root_of(sha)
        if root != sha:
            origin = shas_of(self.view, [root])[root]
            return f"a cherry-pick of {origin[:12]}, which no pull request lists", -root
        return "a change of its own: no pull request lists it", -sha

    def _ownership(self, repository: str) -> Ownership:
        name = self.lineage_facts.repository_named(repository)
        return self.lineage_facts.history({name}, paths=False).ownership

    def change(self, id_: int, record: Change) -> RecordStory:
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
            *(Fact(name="a back-port of", text=name) for name in record.backports),
        ]
        if record.merged_at is None:
            state = "closed without a merge" if record.closed_at else "open, not merged"
            return RecordStory(facts=(*facts, Fact(name="state", text=state)), url=record.url)
        return RecordStory(
            url=record.url,
            facts=(*facts, *self._shipping(id_), *self._waiting(id_)),
            groups=(*self._commits(id_, record), *self._candidates(id_, record.merged_at)),
        )

    def _commits(self, id_: int, record: Change) -> Iterable[RecordGroup]:
        """The commits a pull request lists: its own, and those that belong to another."""
        ownership = self._ownership(record.repository)
        changes = ownership.changes
        position = changes.ids.tolist().index(id_)
        own, merged_as = ownership.own_of(position), int(changes.merge_commits[position])
        listed = list(dict.fromkeys([*changes.lists.of(position), *own]))
        originals = dict.fromkeys([*own, merged_as])
        copies = [pick for sha in originals for pick in ownership.picks_of(sha)]
        named = filter(None, (*record.commit_shas, record.merge_commit_sha))
        shas = shas_of(self.view, [*own, *copies]) | {commit_id(sha): sha for sha in named}
        dates = ownership.authored_at

        def entry(sha: int, what: str = "") -> Entry:
            at = ownership.graph.place(sha)
            when = known_instant(int(dates[at])) if at >= 0 else None
            said = what or ("" if at >= 0 else "not collected")
            return Entry(kind="commit", id=shas[sha], at=when, what=said)

        yield RecordGroup(title="Commits of its own", entries=tuple(map(entry, own)))
        others = [sha for sha in listed if sha not in own]
        entries = tuple(entry(sha, _reason_not_own(sha, position, ownership)) for sha in others)
        yield RecordGroup(title="Commits it lists that do not count as its own", entries=entries)
        if merged_as in shas:
            merge = (entry(merged_as, _other_owner(merged_as, position, ownership)),)
            yield RecordGroup(
                title="Merged as (merge, squash or last rebased commit)", entries=merge
            )
        if copies:
            title = "Cherry-picked as, which ships it too"
            yield RecordGroup(title=title, entries=tuple(map(entry, copies)))

    def _waiting(self, change: int) -> Iterable[Fact]:
        for row in record_lookup.waits_of(self.view, change):
            reason = row.reason
            said = (
                "merged, not deployed yet"
                if reason is None
                else f"left out: {words.reason(reason)}"
            )
            yield Fact(name=self.context.names[row.service_id], text=said)

    def _shipping(self, item: int) -> Iterable[Fact]:
        """The deployments that first shipped a change, a service each, and its lead time there."""
        shipped = record_lookup.shipments_of(self.view, item)
        named = record_lookup.deployments(self.view, [row.deployed_id for row in shipped])
        for row in shipped:
            service = self.context.names[row.service_id]
            said = f"first shipped by {named[row.deployed_id].name}"
            yield Fact(name=service, at=known_instant(row.finished_at), text=said)
            yield from self._lead_time(service, row)

    def _lead_time(self, service: str, row: Any) -> Iterable[Fact]:
        if row.reason is not None:
            yield Fact(name="  left out", text=words.reason(row.reason))
            return
        cut = self.facts_on(service, row.finished_at)
        samples = dora.lead_times(cut)
        for sample in samples.where(samples["item"] == row.item).rows():
            yield Fact(name="  lead time", text=self._lead(sample))
        spans = flow.stages(cut)
        for span in spans.where(spans["item"] == row.item).rows():
            parts = (
                f"{name.replace('_', ' ')} {words.duration(seconds)}"
                for name in flow.STAGES
                if (seconds := getattr(span, name))
            )
            yield Fact(name="  stages", text=" · ".join(parts))

    def _lead(self, sample: Any) -> str:
        start = "its merge (original commits unknown)" if sample.at_merge else self._start_word
        end, begin = self.clock(sample.finished_at), self.clock(sample.start_at)
        said = f"{end} − {begin} ({start}) = {elapsed_time(sample.seconds)}"
        clipped = sample.finished_at < sample.start_at
        return f"{said}, clock skew counts as 0" if clipped else said

    @property
    def _start_word(self) -> str:
        return self.context.rules.lead_time_start.value.replace("_", " ")

    def _candidates(self, item: int, since: datetime | None) -> Iterable[RecordGroup]:
        """Deployments after the change was there that came before the one that shipped it."""
        if since is None:
            return
        for row in record_lookup.shipments_of(self.view, item):
            service = row.service_id
            before = record_lookup.deployments_between(
                self.view, service, to_micros(since), row.finished_at
            )
            yield RecordGroup(
                title=f"Considered in {self.context.names[service]}, but without it",
                entries=self._deployments(before),
            )

    def _deployments(self, rows: Sequence[Any]) -> tuple[Entry, ...]:
        named = record_lookup.deployments(self.view, [row.id for row in rows])
        return tuple(
            Entry(
                kind="deployment",
                id=named[row.id].name,
                url=named[row.id].url,
                at=known_instant(row.finished_at),
                what=", ".join(
                    filter(None, ((named[row.id].commit or "unknown commit")[:7], row.kind))
                ),
            )
            for row in rows
        )


def _reason_not_own(sha: int, position: int, ownership: Ownership) -> str:
    """The reason why a listed commit is not a pull request's own."""
    return _other_owner(sha, position, ownership) or "a merge commit"


def _other_owner(sha: int, position: int, ownership: Ownership) -> str:
    """The other pull request that a commit belongs to; empty for none."""
    owner = ownership.owner_of(sha)
    return "" if owner in (NONE, position) else f"belongs to {ownership.changes.keys[owner]}"

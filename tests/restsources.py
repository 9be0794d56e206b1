"""Sources of one file, collected from servers on loopback: what they save, whatever goes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import Asked, Loopback, Say

from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.records import AnyRecord, Coverage
from vpemetrics.rules import Rules

Collect = Callable[[Any, CollectionContext], Iterator[Batch]]
SECRET = "secret-0123456789"


@dataclass
class Saved:
    """What collections saved: records by kind and key, coverage, cursors, and warnings."""

    records: dict[tuple[str, str], AnyRecord] = field(default_factory=dict)
    coverage: list[Coverage] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    warned: list[str] = field(default_factory=list)
    rules: Rules = field(default_factory=Rules)

    def context(self, now: datetime) -> CollectionContext:
        return CollectionContext(
            source="rest",
            now=now,
            cursors=dict(self.cursors),
            rules=self.rules,
            warn=self.warned.append,
            secret=lambda _reference: SECRET,
        )

    def collect(
        self, collect: Collect, options: object, now: datetime, *, at_most: int = 10_000
    ) -> bool:
        """Save what is new; false if the collection was stopped after so many batches."""
        batches = collect(options, self.context(now))
        for count, batch in enumerate(batches):
            if count == at_most:
                batches.close()  # type: ignore[attr-defined]
                return False
            self.save(batch)
        return True

    def save(self, batch: Batch) -> None:
        for record in batch.records:
            if isinstance(record, Coverage):
                self.coverage.append(record)
            else:
                self.records[record.KIND, record.key] = record
        self.cursors |= batch.cursors

    def of(self, kind: type[Any]) -> list[Any]:
        """The records of a kind, in the order of their keys."""
        return [self.records[key] for key in sorted(self.records) if key[0] == kind.KIND]


@dataclass
class Faults:
    """Replies that come instead of the answer to some requests, by their number from 0."""

    answer: Callable[[Asked], Say]
    replies: dict[int, Say] = field(default_factory=dict)
    count: int = 0

    def __call__(self, asked: Asked) -> Say:
        number, self.count = self.count, self.count + 1
        return self.replies.get(number) or self.answer(asked)


WAIT = Say(status=429, json={"message": "too many"}, headers={"Retry-After": "0"})
BROKEN = Say(status=502, json={"message": "bad gateway"})
CUT = Say(json=[{"id": 1}] * 50, cut=True)


@dataclass(frozen=True)
class Query:
    """What a request asks for: the path below the interface, and its parameters."""

    path: str
    parameters: dict[str, list[str]]

    @classmethod
    def of(cls, asked: Asked, server: Loopback) -> "Query":
        parts = urlsplit(asked.path)
        return cls(parts.path.removeprefix(urlsplit(server.url).path + "/"), parse_qs(parts.query))

    def __getitem__(self, name: str) -> str:
        return self.parameters[name][0]

    def get(self, name: str, default: str = "") -> str:
        return self.parameters.get(name, [default])[0]

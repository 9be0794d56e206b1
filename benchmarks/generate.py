"""Writes the made-up organisations that the measurements run on.

    python benchmarks/generate.py M /some/folder
    python benchmarks/generate.py M /some/folder --monorepo 50
    python benchmarks/generate.py S /some/folder --weeks 1040

The folder gets `history`, `new-week` (the last week, to be imported after it)
and a `vpemetrics.toml`. The same arguments always write the same bytes.
"""

import argparse
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from vpemetrics.demo.blueprint import Blueprint, configuration
from vpemetrics.demo.files import RecordFiles
from vpemetrics.demo.organisation import records_of
from vpemetrics.records import (
    AnyRecord,
    Change,
    Commit,
    Coverage,
    Deployment,
    Incident,
    Run,
)

SIZES = {"S": 0.1, "M": 1.0, "L": 10.0}
ENDS = date(2026, 9, 7)
WEEKS = 104
TENTH = 10
"""Of so many services one is rolled out to two regions, and another has path patterns."""


def plan_of(size: str, monorepo_services: int | None, weeks: int = WEEKS) -> Blueprint:
    """The plan of a size: M has a million commits, S a tenth of everything, L ten times.

    That is in 104 weeks; more or fewer of them are each as busy.
    """
    count = monorepo_services or round(100 * SIZES[size])
    times = SIZES[size] * weeks / WEEKS
    services = tuple(f"service-{number + 1:04d}" for number in range(count))
    return Blueprint(
        services=services,
        ends=ENDS,
        weeks=weeks,
        commits=round(1_000_000 * times),
        changes=round(200_000 * times),
        deployments=round(100_000 * times),
        incidents=round(5_000 * times),
        teams=min(20, count),
        monorepo=monorepo_services is not None,
        two_regions=frozenset(services[3::TENTH]),
        patterned=frozenset(services[6::TENTH]),
        rare=True,
        organisation=f"Benchmark {size}",
    )


def happened_at(record: AnyRecord) -> datetime | None:
    """The moment at which a record came about, where it has one."""
    match record:
        case Commit():
            return record.committed_at
        case Change():
            return record.closed_at or record.created_at
        case Deployment() | Run():
            return record.started_at
        case Incident():
            return record.detected_at
    return None


def split_coverage(coverage: Coverage, at: datetime) -> Iterator[Coverage]:
    """The part of a coverage before a moment, then the part after it."""
    for start, end in ((coverage.start, at), (at, coverage.end)):
        yield Coverage(
            source=coverage.source, scope=coverage.scope, kind=coverage.kind, start=start, end=end
        )


def write(plan: Blueprint, folder: Path) -> dict[str, int]:
    """Write a plan's records; how many there are of each kind."""
    new_week_at = plan.covered[0] + timedelta(weeks=plan.weeks - 1)
    with RecordFiles(folder / "history") as history, RecordFiles(folder / "new-week") as new_week:
        for record in records_of(plan, source="files"):
            if isinstance(record, Coverage):
                before, after = split_coverage(record, new_week_at)
                history.write(before)
                new_week.write(after)
                continue
            at = happened_at(record)
            (new_week if at and at >= new_week_at else history).write(record)
    (folder / "vpemetrics.toml").write_text(configuration(plan), encoding="utf-8")
    return dict(history.counts + new_week.counts)


def main() -> None:
    """Write one organisation and say how large it became."""
    parser = argparse.ArgumentParser(description="Write a made-up organisation as import files.")
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--monorepo", type=int, metavar="SERVICES")
    parser.add_argument("--weeks", type=int, default=WEEKS)
    arguments = parser.parse_args()
    plan = plan_of(arguments.size, arguments.monorepo, arguments.weeks)
    counts = write(plan, arguments.folder)
    for kind, count in sorted(counts.items()):
        print(f"{kind:15} {count:>10,}")


if __name__ == "__main__":
    main()

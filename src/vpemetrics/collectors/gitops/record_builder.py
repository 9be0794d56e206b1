"""Records built from what was read of a configuration repository."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from vpemetrics.collectors.gitops.bumps import Bump, by_key, open_bumps, superseded_bumps
from vpemetrics.collectors.gitops.reading import BumpReading
from vpemetrics.collectors.gitops.service_repositories import ServiceRepositories
from vpemetrics.records import Coverage, CoverageKind, Deployment, Status
from vpemetrics.window import from_micros

_SECOND = 1_000_000


@dataclass(frozen=True, kw_only=True)
class GitopsRecordBuilder:
    """The records of one reading, and what is left for the next one.

    `within` is how soon a version is replaced that was never deployed; what was wanted before
    `since` is not told.
    """

    reading: BumpReading
    within: timedelta
    since: datetime | None

    @cached_property
    def bump_statuses(self) -> list[tuple[Bump, Status]]:
        """The new bumps, and those of before that are superseded by now."""
        new = self.reading.bumps
        lost = {bump for own in self._known.values() for bump in superseded_bumps(own, self.within)}
        before = [bump for bump in self._before if bump in lost]
        return [
            (bump, Status.SUPERSEDED if bump in lost else Status.SUCCEEDED)
            for bump in (*before, *new)
            if self.since is None or moment_of(bump) >= self.since
            if bump.sha not in self.reading.cut
        ]

    @cached_property
    def wanted(self) -> list[Bump]:
        """The bumps that later ones may supersede: of every service and environment, the last."""
        return [bump for own in self._known.values() for bump in open_bumps(own, self.within)]

    @property
    def services(self) -> list[str]:
        """Every service that was ever met."""
        return sorted({bump.service for bump in self.wanted})

    @property
    def versions(self) -> dict[str, list[str]]:
        """The versions that are told, by service."""
        found: dict[str, dict[str, None]] = {}
        for bump, _ in self.bump_statuses:
            found.setdefault(bump.service, {})[bump.version] = None
        return {service: list(versions) for service, versions in found.items()}

    def deployments(self, homes: ServiceRepositories) -> Iterator[Deployment]:
        """The deployments, with the commits that their versions are."""
        for bump, status in self.bump_statuses:
            yield Deployment(
                id=f"{bump.service}:{bump.environment}:{bump.sha[:12]}",
                environment=bump.environment,
                status=status,
                service=bump.service,
                repository=homes.repository(bump.service),
                commit_sha=homes.commit(bump.service, bump.version),
                version=bump.version,
                finished_at=moment_of(bump),
                is_bot=bump.is_bot,
            )

    def coverage(self, source: str, start: datetime, end: datetime) -> Iterator[Coverage]:
        """For which time the deployments of every service are known."""
        begin = max(start, self.since) if self.since else start
        kind = CoverageKind.DEPLOYMENTS
        for service in self.services if begin < end else ():
            yield Coverage(source=source, scope=service, kind=kind, start=begin, end=end)

    @property
    def _before(self) -> Iterable[Bump]:
        return self.reading.after.wanted if self.reading.after else ()

    @cached_property
    def _known(self) -> dict[tuple[str, str], list[Bump]]:
        return by_key((*self._before, *self.reading.bumps))


def moment_of(bump: Bump) -> datetime:
    """The time at which a version was wanted."""
    return from_micros(bump.at * _SECOND)

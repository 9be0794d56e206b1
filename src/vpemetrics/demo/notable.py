"""Events at Acme beside everyday trouble: each thing a report has to judge, on its day."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vpemetrics.records import AnyRecord, Deployment, Incident, Status, Triage, Verdict

LONGEST_WAIT: Final = timedelta(minutes=12)


@dataclass(frozen=True, kw_only=True)
class Breakage:
    """An incident that follows the first deployment of a service after a moment.

    `after` minutes later it begins and `lasts` so many, or is open. `named` as its cause is
    that deployment.
    """

    id: str
    service: str
    since: datetime
    title: str
    after: int
    lasts: int | None
    named: bool
    severity: int = 2


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BREAKAGES: Final = (
    Breakage(
        id="certificate",
        service="accounts",
        since=_at("2026-07-14T09:00"),
        title="accounts: sign-ins fail for some browsers",
        after=38,
        lasts=55,
        named=False,
    ),
    Breakage(
        id="prices",
        service="catalog",
        since=_at("2026-08-26T09:00"),
        title="catalog: prices without tax",
        after=14,
        lasts=115,
        named=True,
    ),
    Breakage(
        id="baskets",
        service="catalog",
        since=_at("2026-08-26T09:00"),
        title="catalog: baskets that cannot be paid",
        after=41,
        lasts=50,
        named=True,
        severity=1,
    ),
    Breakage(
        id="refunds",
        service="checkout",
        since=_at("2026-09-04T13:30"),
        title="checkout: refunds stay pending",
        after=46 * 60 + 20,
        lasts=None,
        named=True,
    ),
)

OUTSIDE: Final = (
    Incident(
        id="region",
        service=("checkout", "catalog", "accounts", "gateway", "delivery"),
        title="A region of the cloud provider is down",
        severity=1,
        customer_affecting=True,
        impact_started_at=_at("2026-04-28T06:12"),
        detected_at=_at("2026-04-28T06:19"),
        acknowledged_at=_at("2026-04-28T06:23"),
        mitigated_at=_at("2026-04-28T17:40"),
        resolved_at=_at("2026-04-29T09:05"),
        updated_at=_at("2026-04-29T09:05"),
        external=True,
    ),
    Incident(
        id="cards",
        service=("checkout", "invoicing"),
        title="The card processor answers slowly",
        severity=2,
        customer_affecting=True,
        impact_started_at=_at("2026-08-19T18:31"),
        detected_at=_at("2026-08-19T18:40"),
        mitigated_at=_at("2026-08-19T20:02"),
        resolved_at=_at("2026-08-19T20:30"),
        updated_at=_at("2026-08-19T20:30"),
        external=True,
    ),
    Incident(  # names a commit that never shipped
        id="labels",
        service=("warehouse",),
        title="warehouse: labels print twice",
        severity=3,
        detected_at=_at("2026-07-22T10:15"),
        mitigated_at=_at("2026-07-22T11:20"),
        resolved_at=_at("2026-07-22T13:00"),
        updated_at=_at("2026-07-22T13:00"),
        cause_sha="4be1d0c7a9f2",
    ),
)

DECISIONS: Final = (
    Triage(
        record="certificate",
        verdict=Verdict.REJECT,
        when=_at("2026-07-15T08:40"),
        who="identity-lead",
        why="a certificate ran out; the deployment had nothing to do with it",
    ),
)


def notable(records: Iterable[AnyRecord]) -> Iterator[Incident | Triage]:
    """The incidents and decisions, the deployments behind them looked up among the records."""
    deployments = [record for record in records if isinstance(record, Deployment)]
    for breakage in BREAKAGES:
        yield _incident(breakage, _cause_of(breakage, deployments))
    yield from OUTSIDE
    yield from DECISIONS


def _cause_of(breakage: Breakage, deployments: Sequence[Deployment]) -> Deployment:
    return min(
        (
            deployment
            for deployment in deployments
            if deployment.service == breakage.service
            and deployment.environment.startswith("production")
            and deployment.status is Status.SUCCEEDED
            and not deployment.rollback
            and deployment.finished_at
            and deployment.finished_at >= breakage.since
        ),
        key=_finish_of,
    )


def _finish_of(deployment: Deployment) -> datetime:
    if deployment.finished_at is None:
        raise ValueError(f"{deployment.id} is still running")
    return deployment.finished_at


def _incident(breakage: Breakage, deployment: Deployment) -> Incident:
    began = _finish_of(deployment) + timedelta(minutes=breakage.after)
    detected = began + LONGEST_WAIT / 2
    over = None if breakage.lasts is None else began + timedelta(minutes=breakage.lasts)
    return Incident(
        id=breakage.id,
        service=(breakage.service,),
        title=breakage.title,
        severity=breakage.severity,
        customer_affecting=True,
        impact_started_at=began,
        detected_at=detected,
        acknowledged_at=began + LONGEST_WAIT,
        mitigated_at=over,
        resolved_at=over,
        updated_at=over or began + LONGEST_WAIT,
        cause_deployment=deployment.id if breakage.named else None,
    )

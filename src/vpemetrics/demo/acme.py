"""The teams, services and repositories of Acme engineering, and how sixty weeks went for them."""

from datetime import date, timedelta
from typing import Final

from vpemetrics.demo.blueprint import Blueprint, Lull
from vpemetrics.demo.calendar import Calendar
from vpemetrics.demo.mainline import Joining

NAME: Final = "Acme engineering"
ZONE: Final = "Europe/Dublin"
WEEKS: Final = 60
ENDS: Final = date(2026, 9, 7)
BEGINS: Final = date(2025, 7, 14)

REORGANISED: Final = date(2025, 9, 22)
OUTAGE: Final = date(2026, 4, 28)
STOREFRONT_SPEEDS_UP: Final = date(2026, 5, 18)
UNCOLLECTED: Final = (date(2026, 4, 6), date(2026, 4, 13))
LOOKED_AT: Final = timedelta(hours=6)
"""So long after its last week the organisation is looked at."""

TEAMS: Final = {
    "payments": ("checkout", "cart", "invoicing"),
    "storefront": ("catalog", "search", "recommendations"),
    "identity": ("accounts", "consent"),
    "logistics": ("warehouse", "delivery"),
    "platform": ("notifications", "gateway"),
}

_OWNERS = {service: team for team, services in TEAMS.items() for service in services}
_LULLS = (
    Lull(start=BEGINS, end=REORGANISED, merges=0.85, releases=0.8),
    Lull(start=date(2025, 12, 22), end=date(2026, 1, 5), merges=0.45),
    Lull(start=OUTAGE, end=date(2026, 5, 2), merges=0.7, releases=0.4),
    # From its end on, storefront deploys 60 % more often.
    Lull(
        start=BEGINS,
        end=STOREFRONT_SPEEDS_UP,
        releases=1 / 1.6,
        services=frozenset(TEAMS["storefront"]),
    ),
)


def _blueprint(
    *services: str,
    changes: float,
    deployments: float,
    joining: Joining,
    monorepo: str | None = None,
    weights: dict[str, float] | None = None,
    seed: int = 1,
) -> Blueprint:
    """One repository; changes and deployments are those of a usual week.

    The seeds are those under which no service or team signals but storefront and its services.
    """
    return Blueprint(
        services=services,
        ends=ENDS,
        weeks=WEEKS,
        commits=round(3.6 * changes * WEEKS),
        changes=round(changes * WEEKS),
        deployments=round(deployments * WEEKS),
        incidents=round(0.065 * deployments * WEEKS),
        seed=seed,
        monorepo=monorepo is not None,
        monorepo_name=monorepo or "",
        two_regions=frozenset({"checkout", "gateway"}),
        organisation=NAME,
        account="acme",
        owners=_OWNERS,
        weights=weights or {},
        joining=joining,
        lulls=_LULLS,
        coding=110,
    )


BLUEPRINTS: Final = (
    _blueprint(
        "checkout",
        "cart",
        "catalog",
        "search",
        "recommendations",
        changes=45,
        deployments=43,
        joining=Joining.SQUASH,
        monorepo="shop",
        weights={"checkout": 5, "cart": 3, "catalog": 5, "search": 4, "recommendations": 3},
    ),
    _blueprint("invoicing", changes=6, deployments=5, joining=Joining.MERGE),
    _blueprint("accounts", changes=10, deployments=7, joining=Joining.SQUASH, seed=2),
    _blueprint("consent", changes=4, deployments=3, joining=Joining.REBASE),
    _blueprint("warehouse", changes=8, deployments=5, joining=Joining.MERGE),
    _blueprint("delivery", changes=7, deployments=5, joining=Joining.MERGE),
    _blueprint("notifications", changes=9, deployments=7, joining=Joining.SQUASH),
    _blueprint("gateway", changes=8, deployments=5, joining=Joining.REBASE),
)


def calendar_before(day: date) -> Calendar:
    """Return the calendar on which the history ends with the last complete week before a day."""
    return Calendar.ending(ENDS, before=day, zone=ZONE)

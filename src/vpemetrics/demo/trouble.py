"""Trouble after a release: incidents, what they say of their cause, how they are mended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vpemetrics.demo.dice import Dice
from vpemetrics.demo.hours import HOUR, moment, next_morning
from vpemetrics.demo.workshop import MergedWork
from vpemetrics.records import Deployment, Incident


class NamedCause(StrEnum):
    """The cause that an incident names."""

    NOTHING = "nothing"
    DEPLOYMENT = "deployment"
    COMMIT = "commit"
    CHANGE = "change"


class Mending(StrEnum):
    """The end of an incident, as far as the records show it."""

    UNSEEN = "unseen"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    FIX = "fix"
    REVERT = "revert"


@dataclass(frozen=True, kw_only=True)
class Story:
    """One way for things to go wrong."""

    names: NamedCause = NamedCause.NOTHING
    mending: Mending = Mending.UNSEEN
    at_night: bool = False
    external: bool = False
    service_known: bool = True


LASTING = 0.06

# Told in turn, so that a small organisation meets every one of them.
STORIES = (
    Story(names=NamedCause.DEPLOYMENT, mending=Mending.HOTFIX),
    Story(),
    Story(mending=Mending.ROLLBACK),
    Story(at_night=True, external=True),
    Story(mending=Mending.FIX),
    Story(mending=Mending.REVERT),
    Story(at_night=True),
    Story(names=NamedCause.COMMIT, mending=Mending.ROLLBACK),
    Story(service_known=False),
    Story(names=NamedCause.CHANGE, mending=Mending.FIX),
)


@dataclass(frozen=True, kw_only=True)
class ShippedWork:
    """Work that has reached production, and the deployment that brought it there."""

    work: MergedWork
    deployment: Deployment


@dataclass(frozen=True, kw_only=True)
class Course:
    """The course of an incident, as wall-clock seconds."""

    began: int
    detected: int
    acknowledged: int
    mitigated: int
    resolved: int


def course_of(story: Story, finished: int, dice: Dice) -> Course:
    """Draw when an incident that follows a deployment began, and how it went on."""
    began = next_morning(finished) if story.at_night else finished
    began += min(dice.minutes(25), 3 * HOUR)
    detected = began + dice.minutes(4)
    mitigated = detected + dice.minutes(45, 1.1)
    if dice.chance(LASTING):
        mitigated += dice.minutes(3000, 0.7)
    return Course(
        began=began,
        detected=detected,
        acknowledged=min(detected + dice.minutes(3), mitigated),
        mitigated=mitigated,
        resolved=mitigated + dice.minutes(60),
    )


def incident_of(
    story: Story, name: str, release: ShippedWork, course: Course, ends_at: int, dice: Dice
) -> Incident:
    """The record of an incident once the records end; it is open if it outlasts them."""
    severity = 1 + int(4 * dice.random() ** 0.5)
    service = release.deployment.service
    last = max(at for at in vars(course).values() if at < ends_at)
    return Incident(
        id=name,
        service=(service,) if service and story.service_known else (),
        severity=severity,
        customer_affecting=severity <= 2 if dice.chance(0.6) else None,
        impact_started_at=moment(course.began) if dice.chance(0.6) else None,
        detected_at=_known_before(course.detected, ends_at),
        acknowledged_at=_known_before(course.acknowledged, ends_at),
        mitigated_at=_known_before(course.mitigated, ends_at),
        resolved_at=_known_before(course.resolved, ends_at),
        updated_at=moment(last),
        external=story.external or None,
        cause_deployment=release.deployment.id if story.names is NamedCause.DEPLOYMENT else None,
        cause_sha=release.work.sha[:12] if story.names is NamedCause.COMMIT else None,
        cause_change=release.work.change.id if story.names is NamedCause.CHANGE else None,
    )


def _known_before(at: int, ends_at: int) -> datetime | None:
    return moment(at) if at < ends_at else None

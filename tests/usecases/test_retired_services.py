"""Services that are no more leave lists and counts, and keep their history."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import MONDAY, deploy, incident
from measuring import BEGIN, END, WEEK, collected, weeks
from stored import SOURCE, empty_store

from vpemetrics.records import AnyRecord, Deployment
from vpemetrics.rules import Rules, Service
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.reporting import Asked, Subject, subject
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import Window

END_OF_WEEK = MONDAY + timedelta(weeks=1)
BEFORE = timedelta(weeks=52)


def deployed(service: str, ago: timedelta, **more: Any) -> Deployment:
    """A deployment so long before the end of week 1."""
    made = deploy(
        f"{service}-{ago}", "Mon 10:00", None, service=service, repository=service, **more
    )
    return replace(made, finished_at=END_OF_WEEK - ago)


SHOP = deployed("shop", timedelta(hours=1))
OLD = deployed("old", BEFORE + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("records", "rules", "services"),
    [
        ([SHOP, OLD], Rules(), ("shop",)),
        ([SHOP, deployed("old", BEFORE)], Rules(), ("old", "shop")),
        ([SHOP, OLD], Rules(services=(Service(name="old"),)), ("old", "shop")),
        ([SHOP, OLD, incident("INC", "Mon 10:00", service=("old",))], Rules(), ("old", "shop")),
        ([SHOP, OLD, incident("INC", "Mon 10:00", "Mon 11:00", service=("old",))], Rules(),
         ("shop",)),
        ([SHOP, OLD, deployed("old", timedelta(days=9), status="failed")], Rules(), ("shop",)),
        ([OLD], Rules(), ("old",)),  # nobody is left to report on
        ([SHOP], Rules(services=(Service(name="new"),)), ("new", "shop")),  # never deployed yet
    ],
)  # fmt: skip
def test_who_was_not_deployed_for_a_year_is_retired(
    records: Sequence[AnyRecord], rules: Rules, services: tuple[str, ...]
) -> None:
    assert asked(records, Asked(window=WEEK), rules).services == services


def test_a_retired_service_keeps_its_history() -> None:
    then = weeks(-51)  # the week of its last deployment
    year = Window(start=then.start, end=WEEK.end)

    assert asked([SHOP, OLD], Asked(window=then)).services == ("old", "shop")
    assert asked([SHOP, OLD], Asked(window=year)).services == ("old", "shop")
    assert asked([SHOP, OLD], Asked(window=WEEK, service="old")).services == ("old",)


@pytest.mark.parametrize(("name", "why"), [("Old", "no, it is retired"), ("shop", "yes")])
def test_a_retired_service_says_why_it_is_not_counted(name: str, why: str) -> None:
    with empty_store() as store:
        store.save(SOURCE, [SHOP, OLD, *collected(BEGIN, END_OF_WEEK)])

        told = {fact.name: fact for fact in explain(store, Rules(), name).facts}

    assert told["counted"].text.startswith(why)
    assert told["last deployed"].at == {"Old": OLD, "shop": SHOP}[name].finished_at


def asked(records: Sequence[AnyRecord], about: Asked, rules: Rules | None = None) -> Subject:
    rules = rules or Rules()
    with empty_store() as store:
        store.save(SOURCE, [*records, *collected(BEGIN, END)])
        bring_up_to_date(store, rules)
        return subject(store, ReportContext.load(store, rules), about)

"""Which deployment failed, by what evidence, and what was rework (rules F1 to F4)."""

from typing import Any

import pytest
from builders import changed, commits, decision, deploy, deploys, incident, pull
from stored import Stored, derive

from vpemetrics.records import AnyRecord
from vpemetrics.rules import Rules

# d1 (a), d2 (b) and d3 (c) are live from 10:00 on Monday, Tuesday and Wednesday.
LINE = commits("a<b<c<d<e")
DAYS = "Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu c"


def failed(stored: Stored, service: str = "shop") -> dict[str, str]:
    """The grade and word of what counts against each deployment; `-` where nothing is blamed."""
    found: dict[str, str] = {}
    for e in sorted(stored.evidence, key=lambda e: e.grade, reverse=True):
        if e.counts and e.service == service:
            found[e.deployment[0] if e.deployment else "-"] = f"{e.grade} {e.what}"
    return found


def judged(*rows: AnyRecord, table: str = DAYS) -> dict[str, str]:
    return failed(derive([*LINE, *deploys(table), *rows], Rules()))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"cause_deployment": "d2"}, {"d2": "A named"}),
        ({"cause_sha": "b"}, {"-": "E named_not_shipped"}),  # too short to be anybody's
        ({"cause_change": "#1"}, {"d3": "A named"}),
        ({"cause_deployment": "d9"}, {"-": "E named_not_shipped"}),
        # named, although it is said to be external
        ({"cause_deployment": "d2", "external": True}, {"d2": "A named"}),
        ({"external": True}, {"-": "E external"}),
        ({}, {"d3": "D time"}),
        # an incident of nobody's service is nobody's
        ({"service": ()}, {}),
        ({"service": (), "cause_deployment": "d2"}, {"d2": "A named"}),
        ({"service": ("till",)}, {}),
        # what it names is another service's
        ({"service": ("till",), "cause_deployment": "d2"}, {"d2": "A named"}),
    ],
)
def test_an_incident_blames_what_it_names(said: dict[str, Any], expected: dict[str, str]) -> None:
    named = incident("I", "Wed 12:00", **said)

    assert judged(pull(1, "Tue 12:00", by="c", of="c"), named) == expected


@pytest.mark.parametrize("sha", ["cafe123", "cafe1234567", "CAFE1234567890"])
def test_a_commit_may_be_named_by_seven_of_its_digits(sha: str) -> None:
    line = commits("a<cafe1234567890<cafe2000000000")
    rows = deploys("Mon 10:00 eu a \n Tue 10:00 eu cafe1234567890 \n Wed 10:00 eu cafe2000000000")
    named = incident("I", "Wed 12:00", cause_sha=sha)

    assert failed(derive([*line, *rows, named], Rules())) == {"d2": "A named"}


@pytest.mark.parametrize("named", ["cafe1110000000", "cafe2220000000"])
def test_a_commit_that_went_live_as_a_pick_is_named_by_itself_and_by_the_pick(named: str) -> None:
    """Neither lies on the deployed line: a second pick does."""
    source, first, second = "cafe1110000000", "cafe2220000000", "cafe3330000000"
    line = changed(
        commits(f"a<b<{second} a<{source} b<{first}"),
        **{pick: {"picked_from_sha": source} for pick in (first, second)},
    )
    rows = deploys(f"Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu {second}")

    found = failed(derive([*line, *rows, incident("I", "Sat 12:00", cause_sha=named)], Rules()))
    assert found == {"d3": "A named"}


def test_what_the_first_deployment_held_was_shipped_before_the_known_history() -> None:
    named = incident("I", "Wed 12:00", cause_change="#1")

    assert judged(pull(1, "Mon 09:00", by="a", of="a"), named) == {"-": "E named_not_shipped"}


@pytest.mark.parametrize(
    ("began", "expected"),
    [
        ("Mon 09:00", {"-": "E unknown"}),  # before any deployment
        ("Mon 12:00", {"d1": "D time"}),
        ("Wed 09:55", {"d3": "D time"}),  # it had started: during its roll-out
        ("Wed 09:49", {"-": "E unknown"}),  # it had not, and d2 was long ago
        ("Wed 13:50", {"d3": "D time"}),  # 4 hours after its start
        ("Wed 13:51", {"-": "E unknown"}),
        (None, {"-": "E unknown"}),
    ],
)
def test_time_alone_suspects_what_started_at_most_four_hours_before(
    began: str | None, expected: dict[str, str]
) -> None:
    rows: list[AnyRecord] = [
        deploy("d1", "Mon 10:00", "a", took=10),
        deploy("d2", "Tue 10:00", "b", took=10),
        deploy("d3", "Wed 10:00", "c", took=10),
    ]

    assert failed(derive([*LINE, *rows, incident("I", began)], Rules())) == expected


FIX = pull(7, "Wed 16:00", by="d", of="d", closes=("I",))


@pytest.mark.parametrize(
    ("table", "began", "expected"),
    [
        # latent: days after the deployment, confirmed by its fix
        (DAYS + "\n Sun 10:00 eu d", "Sat 12:00", {"d3": "C fix"}),
        # the fix's own deployment is never blamed, even if it had started
        (DAYS + "\n Wed 18:00 eu d", "Wed 18:30", {"d3": "C fix"}),
        # before any deployment
        (DAYS + "\n Wed 18:00 eu d", "Mon 09:00", {"-": "E unknown"}),
        # the latest was rolled back before: not it, but the one before
        (
            "Mon 10:00 eu a\nTue 10:00 eu b\nWed 10:00 eu c\nWed 11:00 eu b\nWed 18:00 eu d",
            "Wed 17:00",
            {"d3": "B rollback", "d2": "C fix"},
        ),
        # … it was put back: it is live again
        (
            "Mon 10:00 eu a\nTue 10:00 eu b\nWed 11:00 eu a\nWed 14:00 eu b\nWed 18:00 eu d",
            "Wed 17:00",
            {"d2": "C fix"},
        ),
        # a run that was rolled back is live until it is
        (
            "Mon 10:00 eu a \n Wed 10:00 eu c rolled_back \n Wed 18:00 eu d",
            "Wed 10:00",
            {"d2": "A rolled_back", "d1": "C fix"},
        ),
    ],
)
def test_a_fix_confirms_what_was_live_when_the_incident_began(
    table: str, began: str, expected: dict[str, str]
) -> None:
    assert judged(FIX, incident("I", began), table=table) == expected


def test_weaker_evidence_is_kept_beside_what_counts() -> None:
    rows: list[AnyRecord] = [FIX, incident("I", "Wed 12:00", cause_deployment="d2")]

    stored = derive([*LINE, *deploys(DAYS + "\n Wed 18:00 eu d"), *rows], Rules())

    assert sorted((e.grade, e.deployment[0], e.counts) for e in stored.evidence) == [
        ("A", "d2", True),
        ("C", "d3", False),
        ("D", "d3", False),
    ]


def test_an_incident_on_two_services_has_a_cause_in_each() -> None:
    till = [
        deploy(f"t{n}", f"{day} 11:00", sha, service="till")
        for n, (day, sha) in enumerate((("Mon", "a"), ("Wed", "b")))
    ]
    rows: list[AnyRecord] = [
        *LINE,
        *deploys(DAYS),
        *till,
        incident("I", "Wed 12:00", service=("shop", "till")),
    ]

    stored = derive(rows, Rules())

    assert failed(stored, "shop") == {"d3": "D time"}
    assert failed(stored, "till") == {"t1": "D time"}


def test_several_incidents_on_one_deployment_are_one_failure() -> None:
    rows: list[AnyRecord] = [
        incident("I", "Wed 12:00", cause_deployment="d3"),
        incident("J", "Wed 13:00"),
    ]

    assert judged(*rows) == {"d3": "A named"}


# --- rollbacks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (DAYS + "\n Wed 12:00 eu b", {"d3": "B rollback"}),
        # over two deployments: the first forward one after its target
        (DAYS + "\n Wed 12:00 eu a", {"d2": "B rollback"}),
        # a commit twice live: its last time is the target
        (
            "Mon 10:00 eu a\nMon 12:00 eu s\nTue 10:00 eu a\nTue 12:00 eu b\nWed 10:00 eu a",
            {"d2": "B rollback", "d4": "B rollback"},
        ),
        # never live, but marked: the last earlier deployment of an ancestor
        (
            "Mon 10:00 eu a \n Tue 10:00 eu d \n Wed 10:00 eu b rollback",
            {"d2": "B rollback"},
        ),
        # nothing forward lies between: no failure
        ("Mon 10:00 eu c \n Tue 10:00 eu b \n Wed 10:00 eu a rollback", {}),
        # what never stayed is not blamed twice
        (
            "Mon 10:00 eu a \n Tue 10:00 eu b rolled_back \n Tue 12:00 eu c \n Wed 10:00 eu a",
            {"d2": "A rolled_back", "d3": "B rollback"},
        ),
        # deployed again unchanged: only suspected
        (DAYS + "\n Wed 12:00 eu b \n Wed 14:00 eu c", {"d3": "D rollback_undone"}),
        # … but not if another forward deployment came first; putting c back now takes away d
        (
            DAYS + "\n Wed 12:00 eu b \n Wed 13:00 eu d \n Wed 14:00 eu c",
            {"d3": "B rollback", "d5": "B rollback"},
        ),
        # … one that was rolled back by its own run does not come between
        (
            DAYS + "\n Wed 12:00 eu b \n Wed 13:00 eu d rolled_back \n Wed 14:00 eu c",
            {"d3": "D rollback_undone", "d5": "A rolled_back"},
        ),
        # in one region: what went to the other only is not blamed
        (
            "Mon 10:00 eu a\nMon 10:00 us a\nTue 10:00 us b\nWed 10:00 eu c\nWed 12:00 eu a",
            {"d4": "B rollback"},
        ),
        # redeploys, stale builds and roll-outs blame nobody
        (DAYS + "\n Wed 12:00 eu c \n Thu 10:00 us c", {}),
    ],
)
def test_a_rollback_blames_the_first_forward_deployment_it_takes_back(
    table: str, expected: dict[str, str]
) -> None:
    side = commits("a<s")[1:]

    assert failed(derive([*LINE, *side, *deploys(table)], Rules())) == expected


def test_without_a_graph_a_rollback_to_what_was_never_live_blames_nobody() -> None:
    stored = derive(deploys("Mon 10:00 eu a \n Tue 10:00 eu ? \n Wed 10:00 eu b rollback"), Rules())

    assert stored.kinds("shop") == "forward forward rollback"
    assert failed(stored) == {}


# --- reverts ------------------------------------------------------------------------------------

# c reverts b; d reverts c
REVERT = {"c": {"reverts_sha": ("b",)}}
TWICE = {"c": {"reverts_sha": ("b",)}, "d": {"reverts_sha": ("c",)}}


@pytest.mark.parametrize(
    ("fields", "table", "rows", "expected"),
    [
        # alone it only suspects
        (REVERT, DAYS, [], {"d2": "D revert_alone"}),
        # with an incident, an incident label on either side, or a hotfix
        (REVERT, DAYS, [incident("I", "Tue 20:00")], {"d2": "B revert", "-": "E unknown"}),
        (
            REVERT,
            DAYS,
            [pull(2, "Wed 09:00", by="c", of="c", labels=("incident",))],
            {"d2": "B revert"},
        ),
        (
            REVERT,
            DAYS,
            [pull(1, "Tue 09:00", by="b", of="b", labels=("Incident",))],
            {"d2": "B revert"},
        ),
        (
            REVERT,
            DAYS,
            [pull(2, "Wed 09:00", by="c", of="c", head_branch="hotfix/undo")],
            {"d2": "B revert"},
        ),
        (REVERT, DAYS + " hotfix", [], {"d2": "B revert"}),
        # an external one, or one from before, has nothing to do with it
        (
            REVERT,
            DAYS,
            [incident("I", "Tue 20:00", external=True)],
            {"d2": "D revert_alone", "-": "E external"},
        ),
        (
            REVERT,
            DAYS,
            [incident("I", "Tue 09:00")],
            {"d2": "D revert_alone", "-": "E unknown"},
        ),
        # at most 7 days from deployment to deployment
        (
            REVERT,
            "Mon 10:00 eu a \n Tue 10:00 eu b \n Tue2 10:00 eu c hotfix",
            [],
            {"d2": "B revert"},
        ),
        (
            REVERT,
            "Mon 10:00 eu a \n Tue 10:00 eu b \n Tue2 10:01 eu c hotfix",
            [],
            {"d2": "D revert_alone"},
        ),
        # shipped together with its target: no evidence
        (REVERT, "Mon 10:00 eu a \n Tue 10:00 eu c", [], {}),
        # the target was shipped before the known history
        (REVERT, "Mon 10:00 eu b \n Tue 10:00 eu c", [], {}),
        # a revert of a revert blames nobody, and leaves the first one as it was
        (TWICE, DAYS + "\n Thu 10:00 eu d", [], {"d2": "D revert_alone"}),
        # one commit of nine is enough
        (
            {"e": {"reverts_sha": ("c",)}},
            "Mon 10:00 eu a \n Tue 10:00 eu d \n Wed 10:00 eu e",
            [pull(1, "Tue 09:00", by="d", of="b c d")],
            {"d2": "D revert_alone"},
        ),
        # several at once
        (
            {"d": {"reverts_sha": ("b", "c")}},
            DAYS + "\n Thu 10:00 eu d",
            [],
            {"d2": "D revert_alone", "d3": "D revert_alone"},
        ),
        # the pull request is named, not a commit
        (
            {},
            DAYS,
            [
                pull(1, "Tue 09:00", by="b", of="b"),
                pull(2, "Wed 09:00", by="c", of="c", reverts=("#1",)),
            ],
            {"d2": "D revert_alone"},
        ),
        # a squash with unknown originals that is a revert cannot be reverted into evidence
        (
            REVERT,
            DAYS + "\n Thu 10:00 eu d",
            [
                pull(2, "Wed 09:00", by="c"),
                pull(3, "Thu 09:00", by="d", of="d", reverts=("#2",)),
            ],
            {"d2": "D revert_alone"},
        ),
    ],
)
def test_a_revert_blames_what_first_shipped_its_target(
    fields: dict[str, dict[str, Any]],
    table: str,
    rows: list[AnyRecord],
    expected: dict[str, str],
) -> None:
    found = failed(derive([*changed(LINE, **fields), *deploys(table), *rows], Rules()))

    assert found == expected


# --- people's decisions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "mender"),
    [
        ("", None),
        ("Wed 12:00 eu c hotfix", "d3"),
        ("Wed 12:00 eu c\nWed 13:00 eu d hotfix", "d4"),
        ("Wed 12:00 eu a rollback", "d3"),  # which says so itself
        ("Wed 12:00 eu c", None),
    ],
)
def test_what_a_person_confirmed_ends_with_what_mends_it(later: str, mender: str | None) -> None:
    table = f"Mon 10:00 eu a\nTue 10:00 eu b\n{later}"
    derived = derive([*LINE, *deploys(table), decision("d2", "confirm")], Rules())

    (piece,) = [one for one in derived.evidence if one.what == "triage"]
    assert piece.by == ((mender,) if mender else ())


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], {"d3": "D time"}),
        ([decision("I", "confirm")], {"d3": "A triage"}),
        ([decision("I", "reject")], {"-": "E rejected"}),
        ([decision("I", "link", cause="d2")], {"d2": "A triage"}),
        ([decision("I", "link", cause="#1")], {"d2": "A triage"}),
        ([decision("I", "link", cause="nothing")], {"-": "E linked"}),
        # the last word counts
        (
            [decision("I", "reject", "Sun 10:00"), decision("I", "confirm", "Sun 11:00")],
            {"d3": "A triage"},
        ),
        (
            [decision("I", "confirm", "Sun 10:00"), decision("I", "reject", "Sun 11:00")],
            {"-": "E rejected"},
        ),
        # about the deployment
        ([decision("d3", "reject")], {"-": "E rejected"}),
        ([decision("d3", "confirm")], {"d3": "A triage"}),
        # about another one, which nothing else accuses
        ([decision("d2", "confirm")], {"d2": "A triage", "d3": "D time"}),
        ([decision("d9", "reject")], {"d3": "D time"}),
    ],
)
def test_a_persons_decision_overrides_and_the_last_one_counts(
    decisions: list[AnyRecord], expected: dict[str, str]
) -> None:
    rows: list[AnyRecord] = [
        pull(1, "Tue 09:00", by="b", of="b"),
        incident("I", "Wed 12:00"),
        *decisions,
    ]

    assert judged(*rows) == expected


def test_where_a_deployment_is_rejected_the_next_best_evidence_counts() -> None:
    rows: list[AnyRecord] = [
        FIX,
        incident("I", "Wed 12:00", cause_deployment="d2"),
        decision("d2", "reject"),
    ]

    assert judged(*rows, table=DAYS + "\n Wed 18:00 eu d") == {"d3": "C fix"}


def test_what_was_overridden_is_kept_to_be_explained() -> None:
    rows: list[AnyRecord] = [incident("I", "Wed 12:00"), decision("I", "reject")]

    stored = derive([*LINE, *deploys(DAYS), *rows], Rules())

    assert [(e.grade, e.counts) for e in stored.evidence] == [("D", False), ("E", True)]


def test_a_repeat_of_a_deployment_can_be_named_too() -> None:
    table = "Mon 10:00 eu a \n Tue 10:00 eu b \n Tue 10:20 eu b"

    assert judged(incident("I", "Sat 12:00", cause_deployment="d3"), table=table) == {
        "d2": "A named"
    }


# --- rework -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        (DAYS, [], [None, None, None]),
        (DAYS + "\n Wed 12:00 eu b", [], [None, None, None, "rollback"]),
        # a rollback that was undone is one all the same; the redeploy is none
        (
            DAYS + "\n Wed 12:00 eu b \n Wed 14:00 eu c",
            [],
            [None, None, None, "rollback", None],
        ),
        (DAYS + "\n Wed 12:00 eu d hotfix", [], [None, None, None, "hotfix"]),
        # a redeploy never, whatever it says
        (DAYS + "\n Wed 12:00 eu c hotfix", [], [None, None, None, None]),
        # labels on the pull request
        (DAYS, [pull(1, "Wed 09:00", by="c", of="c", labels=("HotFix",))], [None, None, "hotfix"]),
        (DAYS, [pull(1, "Wed 09:00", by="c", of="c", labels=("bug",))], [None, None, None]),
        # the fix of a known incident; other issues are closed every day
        (
            DAYS,
            [pull(1, "Wed 09:00", by="c", of="c", closes=("I",)), incident("I", "Tue 12:00")],
            [None, None, "fix"],
        ),
        (DAYS, [pull(1, "Wed 09:00", by="c", of="c", closes=("#99",))], [None, None, None]),
        # … which no deployment caused: the work was unplanned all the same
        (
            DAYS,
            [
                pull(1, "Wed 09:00", by="c", of="c", closes=("I",)),
                incident("I", "Tue 12:00"),
                decision("I", "reject"),
            ],
            [None, None, "fix"],
        ),
        # … of another service's incident
        (
            DAYS,
            [
                pull(1, "Wed 09:00", by="c", of="c", closes=("I",)),
                incident("I", "Tue 12:00", service=("till",)),
            ],
            [None, None, None],
        ),
        # a branch
        (
            DAYS,
            [pull(1, "Wed 09:00", by="c", of="c", head_branch="hotfix/9")],
            [None, None, "hotfix"],
        ),
    ],
)
def test_unplanned_are_rollbacks_fixes_reverts_and_hotfixes(
    table: str, rows: list[AnyRecord], expected: list[str | None]
) -> None:
    stored = derive([*LINE, *deploys(table), *rows], Rules())

    assert [one.unplanned for one in stored.deployments["shop"]] == expected


def test_a_deployment_that_ships_a_confirmed_revert_is_rework() -> None:
    rows: list[AnyRecord] = [*changed(LINE, **REVERT), *deploys(DAYS), incident("I", "Tue 20:00")]

    stored = derive(rows, Rules())

    assert [one.unplanned for one in stored.deployments["shop"]] == [None, None, "revert"]


def test_a_deployment_that_was_not_planned_is_rework() -> None:
    rows: list[AnyRecord] = [*deploys(DAYS), deploy("d4", "Thu 10:00", "d", planned=False)]

    stored = derive([*LINE, *rows], Rules())

    assert stored.deployments["shop"][-1].unplanned == "hotfix"

"""What a deployment is, and of what kind (rules D1 to D5)."""

from typing import Any

import pytest
from builders import at, commits, deploy, deploys
from stored import Stored, derive

from vpemetrics.records import Deployment, Status
from vpemetrics.rules import Rules, Service
from vpemetrics.window import to_micros

# main a–b–c–d, and a release branch r–s off a
GRAPH = commits("a<b<c<d a<r<s")


def traced(table: str) -> Stored:
    return derive([*GRAPH, *deploys(table)], Rules())


@pytest.mark.parametrize(
    ("table", "kinds"),
    [
        ("Mon 10:00 eu a", "forward"),  # the first known one has no predecessor
        ("Mon 10:00 eu a \n Mon 12:00 eu b", "forward forward"),
        ("Mon 10:00 eu a \n Mon 12:00 eu a", "forward redeploy"),  # the same commit, hours later
        # another branch: contains nothing that was live, is an ancestor of nothing
        ("Mon 10:00 eu c \n Mon 12:00 eu s", "forward forward"),
        ("Mon 10:00 eu a \n Mon 12:00 eu c \n Mon 14:00 eu a", "forward forward rollback"),
        # never live before: an older build overtaken by a newer one
        ("Mon 10:00 eu a \n Mon 12:00 eu c \n Mon 12:10 eu b", "forward forward stale"),
        # never live before, but the source says so
        ("Mon 10:00 eu a \n Mon 12:00 eu c \n Mon 14:00 eu b rollback", "forward forward rollback"),
        # the mark is believed of ancestors only
        ("Mon 10:00 eu a \n Mon 12:00 eu b rollback", "forward forward"),
        # put back again: live earlier, and contains what is live
        (
            "Mon 10:00 eu a \n Mon 12:00 eu b \n Mon 14:00 eu a \n Mon 16:00 eu b",
            "forward forward rollback redeploy",
        ),
        # back to the other line: live earlier, does not contain its predecessor
        ("Mon 10:00 eu c \n Mon 12:00 eu s \n Mon 14:00 eu c", "forward forward rollback"),
        # what failed in production left the commit before live
        (
            "Mon 10:00 eu a \n Mon 12:00 eu b rolled_back \n Mon 14:00 eu a",
            "forward forward redeploy",
        ),
        # … and was never live, so it is forward when it comes again
        (
            "Mon 10:00 eu a \n Mon 12:00 eu b rolled_back \n Mon 14:00 eu b",
            "forward forward forward",
        ),
        # an unknown commit is forward and leaves "the commit live before" as it was
        ("Mon 10:00 eu a \n Mon 12:00 eu ? \n Mon 14:00 eu a", "forward forward redeploy"),
        ("Mon 10:00 eu a \n Mon 12:00 eu zz \n Mon 14:00 eu a", "forward forward redeploy"),
        # elsewhere 61 minutes later: a roll-out, not a deployment of its own
        (
            "Mon 10:00 us a \n Mon 10:00 eu a \n Mon 12:00 eu b \n Mon 13:01 us b",
            "forward forward rollout",
        ),
        # the first in an environment has no predecessor, whatever is live elsewhere
        ("Mon 10:00 eu a \n Mon 12:00 us a", "forward forward"),
        # staging never counts; attempts are no deployments
        ("Mon 10:00 eu a \n Mon 12:00 staging b \n Mon 13:00 eu b failed", "forward"),
    ],
)
def test_the_kind_is_judged_against_the_commit_live_there_before(table: str, kinds: str) -> None:
    assert traced(table).kinds("shop") == kinds


@pytest.mark.parametrize(
    ("versions", "kinds"),
    [
        ("1.6.0 1.5.6 1.6.0", "forward forward redeploy"),  # 1.5.6 was never live
        ("1.5.6 1.6.0 1.5.6 1.6.0", "forward forward rollback redeploy"),
        ("1.6.0 1.6.0", "forward redeploy"),  # the same version hours later
        ("1.6.0 1.10.0 1.6.0", "forward forward rollback"),  # numbers, not letters
        ("1.6.0 1.5.6:5000", "forward stale"),  # begun before its predecessor
        ("1.6.0 1.7.0:5000", "forward forward"),
        ("1.6.0 1.5.6!", "forward rollback"),  # the source marks it
        ("1.6.0 1.7.0!", "forward forward"),
        ("1.6.0 v1.5.6 1.6.0", "forward forward forward"),  # numbered otherwise
        ("1.6.0 1.6 1.6.0", "forward forward forward"),
        ("1.6.0-rc1 1.6.0-rc2 1.6.0-rc1", "forward forward rollback"),
        ("latest latest", "forward forward"),
        ("1234abc 0234abc 1234abc", "forward forward forward"),  # shas are no numbers
        ("1.6.0 1.5.6@a 1.5.6", "forward forward redeploy"),  # one of the two commits is known
        ("1.5.6@a 1.6.0 1.5.6@a", "forward forward rollback"),
        ("1.5.6@a 1.6.0 @a", "forward forward redeploy"),  # against the commit live before
        ("1.6.0/us 1.5.0 1.6.0", "forward forward rollout"),  # live elsewhere already
        ("1.5.0 1.6.0x 1.5.0", "forward forward redeploy"),  # it did not stay
    ],
)
def test_where_a_commit_is_unknown_the_version_tells_the_kind(versions: str, kinds: str) -> None:
    rows = [_versioned(number, word) for number, word in enumerate(versions.split())]

    assert derive([*GRAPH, *rows], Rules()).kinds("shop") == kinds


def _versioned(number: int, word: str) -> Deployment:
    """A deployment each two hours from `1.0`, `1.0@sha`, `/us`; `:60` minutes long, `!` marked."""
    word, _, took = word.partition(":")
    word, _, where = word.partition("/")
    version, _, sha = word.rstrip("!x").partition("@")
    return deploy(
        f"d{number}",
        f"Mon {2 * number + 8:02}:00",
        sha or None,
        where or "eu",
        version=version or None,
        took=int(took) if took else None,
        rollback="!" in word or None,
        status=Status.ROLLED_BACK if "x" in word else Status.SUCCEEDED,
    )


def test_a_rollback_by_version_blames_what_it_took_away() -> None:
    rows = [_versioned(number, word) for number, word in enumerate(("1.5", "1.6", "1.5"))]

    found = derive(rows, Rules())

    assert [(piece.deployment, piece.grade) for piece in found.evidence] == [(("d1",), "B")]


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        # regions minutes apart are one; at the edge of 60 minutes too
        ("Mon 10:00 eu a \n Mon 10:05 us a", "d1+d2@10:05"),
        ("Mon 10:00 eu a \n Mon 11:00 us a", "d1+d2@11:00"),
        ("Mon 10:00 eu a \n Mon 11:01 us a", "d1@10:00 d2@11:01"),
        # regions of another commit are not
        ("Mon 10:00 eu a \n Mon 10:05 us b", "d1@10:00 d2@10:05"),
        # a repeat in the same place is the same deployment, at the first one's time
        ("Mon 10:00 eu a \n Mon 10:20 eu a", "d1+d2@10:00"),
        ("Mon 10:00 eu a \n Mon 11:00 eu a", "d1+d2@10:00"),
        ("Mon 10:00 eu a \n Mon 11:01 eu a", "d1@10:00 d2@11:01"),
        # within 60 minutes of the first, not of the repeat before
        ("Mon 10:00 eu a \n Mon 10:40 eu a \n Mon 11:10 eu a", "d1+d2@10:00 d3@11:10"),
        # something else was deployed there between
        ("Mon 10:00 eu a \n Mon 10:10 eu b \n Mon 10:20 eu a", "d1@10:00 d2@10:10 d3@10:20"),
        # … or elsewhere, which is no matter
        ("Mon 10:00 eu a \n Mon 10:10 us b \n Mon 10:20 eu a", "d1+d3@10:00 d2@10:10"),
        # … or was tried and rolled back there
        (
            "Mon 10:00 eu a \n Mon 10:10 eu b rolled_back \n Mon 10:20 eu a",
            "d1@10:00 d2@10:10 d3@10:20",
        ),
        # two tries that were both rolled back are two
        (
            "Mon 10:00 eu a rolled_back \n Mon 10:10 eu a rolled_back",
            "d1@10:00 d2@10:10",
        ),
        # unknown commits are told apart by nothing but their versions
        ("Mon 10:00 eu ? \n Mon 10:05 us ?", "d1@10:00 d2@10:05"),
        # ties are ordered by id
        ("Mon 10:00 eu b \n Mon 10:00 eu a", "d1@10:00 d2@10:00"),
    ],
)
def test_parts_and_repeats_are_one_deployment(table: str, parts: str) -> None:
    wanted = [part.split("@") for part in parts.split()]

    made = traced(table).deployments["shop"]

    assert ["+".join(one.parts) for one in made] == [keys for keys, _ in wanted]
    assert [one.finished_at for one in made] == [to_micros(at(f"Mon {t}")) for _, t in wanted]


def test_the_same_unknown_version_in_two_regions_is_one_deployment() -> None:
    rows = [
        deploy("d1", "Mon 10:00", None, version="v7"),
        deploy("d2", "Mon 10:30", None, "us", version="v7"),
        deploy("d3", "Mon 10:40", None, "us", version="v8"),
    ]

    made = derive([*GRAPH, *rows], Rules()).deployments["shop"]

    assert [one.parts for one in made] == [("d1", "d2"), ("d3",)]


def test_one_rolled_back_and_another_forward_region_make_a_rollback() -> None:
    table = """
        Mon 10:00 eu a
        Mon 10:05 us a
        Mon 12:00 eu b
        Mon 13:30 eu a   # back in one region only: the weightiest of the parts' kinds
        Mon 13:40 us a
    """

    assert traced(table).kinds("shop") == "forward forward rollback"


@pytest.mark.parametrize("status", ["failed", "cancelled", "skipped", "superseded"])
def test_a_run_that_ends_before_production_is_an_attempt(status: str) -> None:
    made = traced(f"Mon 10:00 eu a \n Mon 12:00 eu b {status}").deployments["shop"]

    assert [one.kind for one in made] == ["forward", "attempt"]


def test_a_run_still_going_is_nothing_yet() -> None:
    rows = [
        deploy("d1", "Mon 10:00", "a"),
        deploy("d2", "Mon 12:00", "b", status=Status.IN_PROGRESS),
    ]

    made = derive([*GRAPH, *rows], Rules()).deployments["shop"]

    assert [one.parts for one in made] == [("d1",)]


@pytest.mark.parametrize(
    ("table", "ships"),
    [
        ("Mon 10:00 eu a", [False]),  # no predecessor
        ("Mon 10:00 eu a \n Mon 12:00 eu b", [False, True]),
        ("Mon 10:00 eu a \n Mon 12:00 eu b rolled_back", [False, False]),
        ("Mon 10:00 eu a \n Mon 12:00 eu ?", [False, False]),
        ("Mon 10:00 eu a \n Mon 12:00 eu c \n Mon 12:10 eu b", [False, True, False]),
        ("Mon 10:00 eu a \n Mon 12:00 eu c \n Mon 12:10 eu a", [False, True, False]),
    ],
)
def test_only_forward_deployments_of_known_commits_with_a_predecessor_ship(
    table: str, ships: list[bool]
) -> None:
    assert [one.ships for one in traced(table).deployments["shop"]] == ships


def test_stale_builds_and_unknown_commits_are_data_problems() -> None:
    table = (
        "Mon 10:00 eu a \n Mon 12:00 eu c \n Mon 12:10 eu b \n Tue 10:00 eu ? \n Tue 12:00 eu zz"
    )

    problems = traced(table).problems["shop"]

    assert '"stale": ["d3"]' in problems
    assert '"unknown_commit": ["d4"]' in problems
    assert '"commit_not_collected": ["d5"]' in problems


@pytest.mark.parametrize(
    ("first", "is_problem"),
    [
        ("b", False),  # what lies behind it would have gone with the first deployment
        ("a", True),
    ],
)
def test_a_history_that_is_cut_is_a_problem_after_the_first_deployment(
    first: str, is_problem: bool
) -> None:
    graph = commits("a b:gone c:b")

    stored = derive([*graph, *deploys(f"Mon 10:00 eu {first} \n Tue 10:00 eu c")], Rules())

    assert ("parents_not_collected" in stored.problems["shop"]) is is_problem


@pytest.mark.parametrize(
    ("table", "kinds"),
    [
        # without a graph what first went live later contains the earlier
        ("Mon 10:00 eu a \n Mon 12:00 eu b \n Mon 14:00 eu a", "forward forward rollback"),
        (
            "Mon 10:00 eu a \n Mon 12:00 eu b \n Mon 14:00 eu a \n Mon 16:00 eu b",
            "forward forward rollback redeploy",
        ),
        # nothing is known against the source's mark
        ("Mon 10:00 eu b \n Mon 12:00 eu a rollback", "forward rollback"),
        ("Mon 10:00 eu b \n Mon 12:00 eu a", "forward forward"),
        # b came between the regions of a, so it is the newer one, though a was complete later
        (
            "Mon 09:00 eu x \n Mon 10:00 eu a \n Mon 10:05 eu b \n Mon 10:30 us a",
            "forward forward forward",
        ),
    ],
)
def test_without_a_graph_order_stands_for_ancestry(table: str, kinds: str) -> None:
    assert derive(deploys(table), Rules()).kinds("shop") == kinds


def test_a_services_own_environments_replace_the_production_patterns() -> None:
    rules = Rules(services=(Service(name="shop", environments=("staging",)),))

    made = derive([*GRAPH, *deploys("Mon 10:00 eu a \n Mon 12:00 staging b")], rules)

    assert [one.parts for one in made.deployments["shop"]] == [("d2",)]


@pytest.mark.parametrize(
    ("row", "service"),
    [
        ({"service": "shop"}, "shop"),  # the source's own name
        ({"service": None}, "shop"),  # none: the repository
        ({"service": "legacy-shop"}, "till"),  # configuration maps it, by pattern
        ({"service": "till"}, "till"),  # … or says its name
        ({"service": None, "repository": "till-code"}, "till"),  # … or its repository
    ],
)
def test_a_service_is_named_by_configuration_then_source_then_repository(
    row: dict[str, Any], service: str
) -> None:
    rules = Rules(services=(Service(name="till", sources=("legacy-*",), repository="till-code"),))

    assert list(derive([deploy("d1", "Mon 10:00", "a", **row)], rules).deployments) == [service]

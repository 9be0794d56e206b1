"""Which commits are which change, and what ships it (rules C1 to C3)."""

from typing import Any

import pytest
from builders import MONDAY, at, changed, commit, commits, deploy, deploys, pull
from stored import SOURCE, Stored, derive, empty_store, read

from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit, Repository
from vpemetrics.rules import LeadTimeStart, Rules, Service
from vpemetrics.usecases.update_lineage import bring_up_to_date


def where(stored: Stored, service: str = "shop") -> dict[str, str]:
    """The deployment, by its first part, that shipped each change, or why it has no lead time."""
    found = {
        key: sent.reason or sent.deployment[0]
        for (name, key), sent in stored.shipped.items()
        if name == service and sent.reason != "first_deployment"
    }
    waits = {key: why or "waits" for (name, key), why in stored.waiting.items() if name == service}
    return found | waits


def traced(graph: list[Commit], pulls: list[Change], table: str) -> dict[str, str]:
    return where(derive([*graph, *pulls, *deploys(table)], Rules()))


TWICE = "Mon 10:00 eu a \n Wed 10:00 eu {}"


@pytest.mark.parametrize(
    ("graph", "pulls", "table", "expected"),
    [
        # a merge commit: the branch x–y comes with it, the merge itself is no change
        (
            "a<x<y m:a+y",
            [pull(1, "Tue 10:00", by="m", of="x y")],
            TWICE.format("m"),
            {"#1": "d2"},
        ),
        # a squash: the originals are on no deployed line
        ("a<x<y a<s", [pull(1, "Tue 10:00", by="s", of="x y")], TWICE.format("s"), {"#1": "d2"}),
        # a rebase: copies of all commits, the last one is the merge commit
        (
            "a<x<y a<x2<y2",
            [pull(1, "Tue 10:00", by="y2", of="x y")],
            TWICE.format("y2"),
            {"#1": "d2", "x2": "d2"},  # x2 is told from no copy: its author date is another
        ),
        # a direct commit is a change of its own; merge commits never are
        ("a<b<c", [], TWICE.format("c"), {"b": "d2", "c": "d2"}),
        ("a<x a<y m:x+y", [], TWICE.format("m"), {"x": "d2", "y": "d2"}),
        # an octopus merge brings all its branches, as changes of their own or a pull request's
        ("a<x a<y<z m:a+x+z", [], TWICE.format("m"), {"x": "d2", "y": "d2", "z": "d2"}),
        (
            "a<x a<y<z m:a+x+z m<b",
            [pull(1, "Tue 10:00", by="m"), pull(2, "Tue 11:00", by="b", of="b z")],
            TWICE.format("m"),
            {"#1": "d2", "#2": "waits"},
        ),
        # merged after the deployed commit
        (
            "a<b<c",
            [pull(1, "Tue 10:00", by="c", of="c")],
            TWICE.format("b"),
            {"b": "d2", "#1": "waits"},
        ),
        # branch deployed before its merge: all its original commits were there
        (
            "a<x<y m:a+y",
            [pull(1, "Thu 10:00", by="m", of="x y")],
            "Mon 10:00 eu a \n Wed 10:00 eu y \n Fri 10:00 eu m",
            {"#1": "d2"},
        ),
        # … but half of a branch is not the change
        (
            "a<x<y m:a+y",
            [pull(1, "Thu 10:00", by="m", of="x y")],
            "Mon 10:00 eu a \n Wed 10:00 eu x \n Fri 10:00 eu m",
            {"#1": "d3"},
        ),
        # stacked: the second was opened on the first's branch and lists its commits too
        (
            "a<x<y m:a+x n:m+y",
            [pull(1, "Tue 10:00", by="m", of="x"), pull(2, "Tue 12:00", by="n", of="x y")],
            "Mon 10:00 eu a \n Wed 10:00 eu m \n Thu 10:00 eu n",
            {"#1": "d2", "#2": "d3"},
        ),
        # stacked and squashed one into the other: the first ships with the second's squash
        (
            "a<x<y x<s a<t",
            [pull(1, "Tue 10:00", by="s", of="y"), pull(2, "Tue 12:00", by="t", of="x s")],
            TWICE.format("t"),
            {"#1": "d2", "#2": "d2"},
        ),
        # a branch merged into a branch, carried on by a squash that lists its merge commit
        (
            "a<x x<y m:x+y a<s",
            [pull(1, "Tue 10:00", by="m", of="y"), pull(2, "Tue 12:00", by="s", of="x y m")],
            TWICE.format("s"),
            {"#1": "d2", "#2": "d2"},
        ),
        # … and waits as long as the carrier waits
        (
            "a<b a<x x<y m:x+y a<s",
            [pull(1, "Tue 10:00", by="m", of="y"), pull(2, "Tue 12:00", by="s", of="x y m")],
            TWICE.format("b"),
            {"b": "d2", "#1": "waits", "#2": "waits"},
        ),
        # listed by two: it belongs to the one merged first; nothing is left of the other
        (
            "a<x m:a+x n:m+x",
            [pull(1, "Tue 10:00", by="m", of="x"), pull(2, "Tue 12:00", by="n", of="x")],
            TWICE.format("n"),
            {"#1": "d2", "#2": "no_commit_left"},
        ),
        # the list is unknown: a merge commit says itself what it brought
        ("a<x<y m:a+y", [pull(1, "Tue 10:00", by="m")], TWICE.format("m"), {"#1": "d2"}),
        # what an open pull request lists waits for it; a closed one lets go
        ("a<x<y", [pull(1, None, by="", of="x y")], TWICE.format("y"), {}),
        (
            "a<x",
            [pull(1, None, by="", of="x", closed_at=at("Tue 10:00"))],
            TWICE.format("x"),
            {"x": "d2"},
        ),
        # two lines of deployments: not reachable from *any* earlier one
        (
            "a<b<c b<h",
            [],
            "Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu h \n Thu 10:00 eu c",
            {"b": "d2", "h": "d3", "c": "d4"},
        ),
        # what a rolled back run brought is shipped by the next one that stays
        (
            "a<b<c",
            [],
            "Mon 10:00 eu a \n Tue 10:00 eu b rolled_back \n Wed 10:00 eu c",
            {"b": "d3", "c": "d3"},
        ),
        # an unknown commit ships nothing
        ("a<b", [], "Mon 10:00 eu a \n Tue 10:00 eu ? \n Wed 10:00 eu b", {"b": "d3"}),
    ],
)
def test_a_change_ships_once_with_the_first_deployment_that_holds_it(
    graph: str, pulls: list[Change], table: str, expected: dict[str, str]
) -> None:
    assert traced(commits(graph), pulls, table) == expected


PICKED = {"p": {"picked_from_sha": "x"}, "q": {"picked_from_sha": "p"}}


@pytest.mark.parametrize(
    ("graph", "pulls", "table", "expected"),
    [
        # picked onto a release line: the pull request ships there
        (
            "a<x<b a<p",
            [pull(1, "Tue 10:00", by="x", of="x")],
            "Mon 10:00 eu a \n Wed 10:00 eu p \n Thu 10:00 eu b",
            {"#1": "d2", "b": "d3"},
        ),
        # a direct commit, picked and picked again: one change all the same
        (
            "a<x a<p a<q",
            [],
            "Mon 10:00 eu a \n Tue 10:00 eu q \n Wed 10:00 eu p \n Thu 10:00 eu x",
            {"x": "d2"},
        ),
        # one of two commits picked is not the change
        (
            "a<x<y a<p",
            [pull(1, "Tue 10:00", by="y", of="x y")],
            "Mon 10:00 eu a \n Wed 10:00 eu p \n Thu 10:00 eu y",
            {"#1": "d3"},
        ),
        # a back-port pull request brings nothing of its own
        (
            "a<x a<p",
            [pull(1, "Tue 10:00", by="x", of="x"), pull(2, "Tue 12:00", by="p")],
            "Mon 10:00 eu a \n Wed 10:00 eu p",
            {"#1": "d2", "#2": "backport"},
        ),
        # picked from something nobody collected: a change of its own
        ("a<p", [], TWICE.format("p"), {"p": "d2"}),
    ],
)
def test_a_cherry_pick_belongs_to_the_change_it_was_picked_from(
    graph: str, pulls: list[Change], table: str, expected: dict[str, str]
) -> None:
    assert traced(changed(commits(graph), **PICKED), pulls, table) == expected


@pytest.mark.parametrize(
    ("pulls", "expected"),
    [
        # it ships what it brings on, as its original's lead time, and is no change of its own
        ([pull(2, "Tue 12:00", by="p", backports=("#1",))], {"#1": "d2", "#2": "backport"}),
        # a back-port of a back-port
        (
            [
                pull(2, "Tue 12:00", by="p", backports=("#1",)),
                pull(3, "Tue 13:00", by="q", backports=("#2",)),
            ],
            {"#1": "d2", "#2": "backport", "#3": "backport"},
        ),
        # several at once, one of them unknown
        (
            [
                pull(4, "Tue 11:00", by="b", of="b"),
                pull(2, "Tue 12:00", by="p", backports=("#1", "#4", "#9")),
            ],
            {"#1": "d2", "#2": "backport", "#4": "d2"},
        ),
        # what it names is unknown, not merged, or it itself
        ([pull(2, "Tue 12:00", by="p", backports=("#9",))], {"#1": "d3", "#2": "d2"}),
        (
            [pull(3, None, by="", of="z"), pull(2, "Tue 12:00", by="p", backports=("#3",))],
            {"#1": "d3", "#2": "d2"},
        ),
        ([pull(2, "Tue 12:00", by="p", backports=("#2",))], {"#1": "d3", "#2": "d2"}),
        # in a circle
        (
            [
                pull(2, "Tue 12:00", by="p", backports=("#3",)),
                pull(3, "Tue 13:00", by="q", backports=("#2",)),
            ],
            {"#1": "d3", "#2": "d2", "#3": "waits"},
        ),
    ],
)
def test_a_change_ships_with_its_back_port_if_that_comes_first(
    pulls: list[Change], expected: dict[str, str]
) -> None:
    graph, first = commits("a<x<b a<p p<z a<q"), pull(1, "Tue 10:00", by="x", of="x")
    days = "Mon 10:00 eu a \n Wed 10:00 eu p \n Thu 10:00 eu b"
    found = traced(graph, [first, *pulls], days)

    assert {item: said for item, said in found.items() if item.startswith("#")} == expected


def test_commits_that_two_sources_tell_count_once() -> None:
    graph = commits("a<x<y m:a+y m<b")
    rows: list[AnyRecord] = [
        pull(1, "Tue 10:00", by="m", of="x y"),
        *deploys(TWICE.format("b")),
    ]
    with empty_store() as store:
        store.save(SOURCE, [*graph, *rows])
        store.save("another source", graph)
        bring_up_to_date(store, Rules())

        assert read(store) == derive([*graph, *rows], Rules())


def test_rebased_copies_belong_to_their_pull_request() -> None:
    graph = commits("a<x<y a<b<x2<y2")
    dates = {row.sha: row.authored_at for row in graph}
    copies = {"x2": {"authored_at": dates["x"]}, "y2": {"authored_at": dates["y"]}}

    found = traced(
        changed(graph, **copies), [pull(1, "Tue 10:00", by="y2", of="x y")], TWICE.format("y2")
    )

    assert found == {"#1": "d2", "b": "d2"}


def test_copies_are_told_as_far_down_as_their_dates_are() -> None:
    graph = commits("a<w<x<y a<b<w2<x2<y2")
    dates = {row.sha: row.authored_at for row in graph}
    told = {copy: {"authored_at": dates[copy[0]]} for copy in ("x2", "y2")}
    unknown: dict[str, dict[str, Any]] = {sha: {"authored_at": None} for sha in ("w", "w2")}

    found = traced(
        changed(graph, **told, **unknown),
        [pull(1, "Tue 10:00", by="y2", of="w x y")],
        TWICE.format("y2"),
    )

    assert found == {"#1": "d2", "b": "d2", "w2": "no_author_date"}


def test_a_long_stack_of_pull_requests_takes_no_longer_than_its_length() -> None:
    names = [f"c{number:02}" for number in range(60)]
    pulls = [
        pull(at_, f"Tue 10:{at_:02}", by=f"s{at_}", of=" ".join(names[: at_ + 1]))
        for at_ in range(60)
    ]
    graph = commits("a<" + "<".join(names) + " a<s59")

    assert set(traced(graph, pulls, TWICE.format("s59")).values()) == {"d2"}


def test_what_the_first_deployment_held_was_shipped_before() -> None:
    rows: list[AnyRecord] = [pull(1, "Mon 09:00", by="b", of="b"), *deploys("Mon 10:00 eu b")]

    stored = derive([*commits("a<b"), *rows], Rules())

    assert {sent.reason for sent in stored.shipped.values()} == {"first_deployment"}


# --- lead time ----------------------------------------------------------------------------------


def sample(
    rows: list[AnyRecord], start: LeadTimeStart = LeadTimeStart.FIRST_COMMIT
) -> tuple[list[float], bool, str | None]:
    """The lead times in minutes of #1, whether they start at the merge, and why there are none."""
    stored = derive([*deploys("Mon 10:00 eu a"), *rows], Rules(lead_time_start=start))
    sent = stored.shipped["shop", "#1"]
    finished = {one.parts: one.finished_at for one in stored.deployments["shop"]}
    minutes = [(finished[sent.deployment] - one) / 60e6 for one in sent.starts]
    return minutes, sent.at_merge, sent.reason


X = commit("x", "a", authored_at=at("Tue 09:00"))
Y = commit("y", "x", authored_at=at("Tue 09:30"))


@pytest.mark.parametrize(
    ("rows", "start", "minutes", "at_merge", "reason"),
    [
        # from the first of the original commits, not from the squash
        (
            [
                X,
                Y,
                commit("s", "a"),
                pull(1, "Tue 09:50", by="s", of="x y"),
                deploy("d2", "Tue 10:00", "s"),
            ],
            "first_commit",
            [60],
            False,
            None,
        ),
        (
            [
                X,
                Y,
                commit("s", "a"),
                pull(1, "Tue 09:50", by="s", of="x y"),
                deploy("d2", "Tue 10:00", "s"),
            ],
            "each_commit",
            [60, 30],
            False,
            None,
        ),
        (
            [
                X,
                Y,
                commit("s", "a"),
                pull(1, "Tue 09:50", by="s", of="x y"),
                deploy("d2", "Tue 10:00", "s"),
            ],
            "merge",
            [10],
            False,
            None,
        ),
        # squash with unknown originals: it starts at the merge, and says so
        (
            [commit("s", "a"), pull(1, "Tue 09:50", by="s"), deploy("d2", "Tue 10:00", "s")],
            "first_commit",
            [10],
            True,
            None,
        ),
        # … listed, but not collected
        (
            [
                commit("s", "a"),
                pull(1, "Tue 09:50", by="s", of="x y"),
                deploy("d2", "Tue 10:00", "s"),
            ],
            "first_commit",
            [10],
            True,
            None,
        ),
        # … but the source knows the first commit's date
        (
            [
                commit("s", "a"),
                pull(1, "Tue 09:50", by="s", first_commit_at=at("Tue 08:00")),
                deploy("d2", "Tue 10:00", "s"),
            ],
            "first_commit",
            [120],
            False,
            None,
        ),
        # clocks that differ by 4 and 5 minutes are skewed, by 6 the data is wrong
        (
            [X, pull(1, "Tue 09:00", by="x", of="x"), deploy("d2", "Tue 08:56", "x")],
            "first_commit",
            [-4],
            False,
            None,
        ),
        (
            [X, pull(1, "Tue 09:00", by="x", of="x"), deploy("d2", "Tue 08:55", "x")],
            "first_commit",
            [-5],
            False,
            None,
        ),
        (
            [X, pull(1, "Tue 09:00", by="x", of="x"), deploy("d2", "Tue 08:54", "x")],
            "first_commit",
            [-6],
            False,
            "negative",
        ),
        # one good sample of several is enough
        (
            [X, Y, pull(1, "Tue 09:40", by="y", of="x y"), deploy("d2", "Tue 09:10", "y")],
            "each_commit",
            [10, -20],
            False,
            None,
        ),
        # deployed before its merge
        (
            [X, pull(1, "Tue 12:00", by="x", of="x"), deploy("d2", "Tue 10:00", "x")],
            "merge",
            [-120],
            False,
            "deployed_before_merge",
        ),
        # no author date anywhere
        (
            [
                commit("x", "a", authored_at=None),
                pull(1, "Tue 09:00", by="x", of="x"),
                deploy("d2", "Tue 10:00", "x"),
            ],
            "first_commit",
            [60],
            True,
            None,
        ),
        # automation is counted apart
        (
            [
                X,
                pull(1, "Tue 09:50", by="x", of="x", author_kind=AuthorKind.AUTOMATION),
                deploy("d2", "Tue 10:00", "x"),
            ],
            "first_commit",
            [60],
            False,
            "automation",
        ),
        # the pull request's author decides, not the commit's
        (
            [
                commit("x", "a", authored_at=at("Tue 09:00"), author_kind=AuthorKind.AUTOMATION),
                pull(1, "Tue 09:50", by="x", of="x"),
                deploy("d2", "Tue 10:00", "x"),
            ],
            "first_commit",
            [60],
            False,
            None,
        ),
        # from git alone it has none: the oldest commit's does
        (
            [
                commit("x", "a", authored_at=at("Tue 09:00"), author_kind=AuthorKind.AUTOMATION),
                Y,
                pull(1, "Tue 09:50", by="y", of="x y", author_kind=None),
                deploy("d2", "Tue 10:00", "y"),
            ],
            "first_commit",
            [60],
            False,
            "automation",
        ),
    ],
)
def test_lead_time_runs_from_the_chosen_start_to_the_deployment(
    rows: list[AnyRecord],
    start: str,
    minutes: list[float],
    at_merge: bool,
    reason: str | None,
) -> None:
    base = commit("a", authored_at=MONDAY)

    assert sample([base, *rows], LeadTimeStart(start)) == (minutes, at_merge, reason)


def test_a_direct_commit_without_an_author_date_has_no_lead_time() -> None:
    graph = [commit("a"), commit("b", "a", authored_at=None)]

    assert traced(graph, [], TWICE.format("b")) == {"b": "no_author_date"}


# --- monorepos, branches, and no graph ----------------------------------------------------------


def test_in_a_monorepo_only_what_touches_the_service_is_its_change() -> None:
    touched = {
        "b": ("shop/cart.py",),
        "c": ("till/pay.py",),
        "d": ("shop/x.py", "till/x.py"),
        "e": None,
    }
    graph = changed(
        commits("a<b<c<d<e"), **{sha: {"paths": paths} for sha, paths in touched.items()}
    )
    rules = Rules(
        services=(Service(name="shop", paths=("shop/",)), Service(name="till", paths=("till/",)))
    )
    rows = [
        deploy(f"{service}{number}", f"{day} 10:00", sha, service=service)
        for service in ("shop", "till")
        for number, (day, sha) in enumerate((("Mon", "a"), ("Tue", "e")))
    ]

    stored = derive([*graph, *rows], rules)

    assert set(where(stored, "shop")) == {"b", "d", "e"}  # unknown paths may touch anything
    assert set(where(stored, "till")) == {"c", "d", "e"}


def test_a_squash_tells_the_paths_that_its_originals_do_not() -> None:
    touched = {"x": None, "y": ("shop/cart.py",), "s": ("shop/cart.py",)}
    graph = changed(commits("a<x<y a<s"), **{sha: {"paths": of} for sha, of in touched.items()})
    rules = Rules(
        services=(Service(name="shop", paths=("shop/",)), Service(name="till", paths=("till/",)))
    )
    rows = [
        deploy(f"{service}{number}", f"{day} 10:00", sha, service=service)
        for service in ("shop", "till")
        for number, (day, sha) in enumerate((("Mon", "a"), ("Wed", "s")))
    ]

    stored = derive([*graph, pull(1, "Tue 10:00", by="s", of="x y"), *rows], rules)

    assert set(where(stored, "shop")) == {"#1"}
    assert set(where(stored, "till")) == set()


def test_one_change_in_three_services_ships_once_in_each() -> None:
    services = ("shop", "till", "stock")
    rows = [
        deploy(f"{service}{sha}", when, sha, service=service)
        for hour, service in enumerate(services, 10)
        for sha, when in (("a", f"Mon {hour}:00"), ("b", f"Tue {hour}:00"))
    ]

    history: list[AnyRecord] = [*commits("a<b"), pull(1, "Mon 20:00", by="b", of="b"), *rows]

    stored = derive(history, Rules())

    assert [where(stored, service) for service in services] == [
        {"#1": "shopb"},
        {"#1": "tillb"},
        {"#1": "stockb"},
    ]


@pytest.mark.parametrize(
    ("last", "left"),
    [
        ("Wed 10:00 eu x", "waits"),
        ("Wed53 10:00 eu x \n Wed53 12:00 eu x2", "waits"),
        ("Wed 10:00 eu x \n Wed53 10:00 eu x2", "waits"),  # 52 weeks later
        ("Wed 10:00 eu x \n Wed53 10:01 eu x2", "other_branch"),
    ],
)
def test_what_waits_on_another_branch_counts_where_that_shipped_in_the_last_52_weeks(
    last: str, left: str
) -> None:
    pulls = [
        pull(1, "Tue 10:00", by="x", of="x", base_branch="1.x"),
        pull(2, "Tue 10:00", by="y", of="y", base_branch="1.x"),
        pull(3, "Tue 10:00", by="z", of="z", base_branch="main"),
        pull(4, "Tue 10:00", by="v", of="v", base_branch="0.x"),  # never shipped
    ]
    repository = Repository(id="shop", name="shop", default_branch="main")
    graph = commits("a<x a<y a<z a<v x<x2")

    found = where(
        derive([repository, *graph, *pulls, *deploys(f"Mon 10:00 eu a \n {last}")], Rules())
    )

    assert found.pop("x2", "d3") == "d3"
    assert found == {"#1": "d2", "#2": left, "#3": "waits", "#4": "other_branch"}


@pytest.mark.parametrize(
    ("merged", "deployment"),
    [
        ("Tue 09:54", "d2"),
        ("Tue 09:55", "d3"),  # after its merge: not at the same moment
        ("Tue 10:00", "d3"),  # d2 had started by then
        ("Tue 12:00", "d4"),  # d3 has no start: its finish; the rollback after it ships nothing
        ("Fri 10:00", "waits"),
    ],
)
def test_without_a_graph_a_change_is_in_the_first_forward_deployment_started_after_its_merge(
    merged: str, deployment: str
) -> None:
    rows = [
        deploy("d1", "Mon 10:00", "a"),
        deploy("d2", "Tue 10:00", "b", took=5),
        deploy("d3", "Tue 12:00", "c"),
        deploy("d3x", "Tue 14:00", "b"),
        deploy("d4", "Wed 10:00", "d"),
    ]

    stored = derive([pull(1, merged, by="x"), *rows], Rules())

    assert where(stored) == {"#1": deployment}
    assert stored.attribution == {"shop": "time"}


def test_without_a_graph_an_unknown_commit_ships_nothing_where_others_are_known() -> None:
    change = pull(1, "Tue 10:00", by="x")

    found = derive(
        [change, *deploys("Mon 10:00 eu a \n Wed 10:00 eu ? \n Fri 10:00 eu b")], Rules()
    )

    assert where(found) == {"#1": "unknown_commit"}


def test_where_no_deployment_names_a_commit_changes_are_shipped_by_time() -> None:
    changes = [pull(1, "Mon 09:00", by="x"), pull(2, "Tue 10:00", by="y")]

    found = derive([*changes, *deploys("Mon 10:00 eu ? \n Wed 10:00 eu ?")], Rules())

    assert where(found) == {"#2": "d2"}
    assert found.shipped["shop", "#1"].reason == "first_deployment"
    assert [one.ships for one in found.deployments["shop"]] == [False, True]


def test_by_time_a_change_is_where_it_was_first_though_another_started_before() -> None:
    changes = [pull(1, "Tue 08:00", by="x")]
    first = deploy("d1", "Mon 10:00", None, version="1")
    slow = deploy("d2", "Tue 12:00", None, took=180, version="2")
    quick = deploy("d3", "Tue 11:00", None, took=60, version="3")

    found = derive([*changes, first, slow, quick], Rules())

    assert where(found) == {"#1": "d3"}

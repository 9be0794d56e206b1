"""What GraphQL tells: order, pages, and what a change meanwhile does to them."""

from typing import Any

import pytest
from github_server.execution import execute, read_query
from github_server.things import timestamp
from github_server.world import Repo, World
from github_world import after, busy_world

PULLS = """
query($first: Int!, $after: String, $direction: OrderDirection!) {
  repository(owner: "acme", name: "shop") {
    pullRequests(
      first: $first, after: $after, orderBy: {field: UPDATED_AT, direction: $direction}
    ) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { number }
      edges { cursor node { number } }
    }
  }
}"""


def ask(world: World, text: str, **variables: Any) -> dict[str, Any]:
    return execute(read_query(text, variables), world)


def data(world: World, text: str, **variables: Any) -> Any:
    answer = ask(world, text, **variables)
    assert "errors" not in answer
    return answer["data"]


def shop_with_pulls(count: int) -> Repo:
    """Pull requests whose order of touch is that of their numbers."""
    shop = World().repository("acme/shop")
    ada = shop.world.account("ada")
    oid = shop.commit("Begin", author=ada, at=after(0)).oid
    for hour in range(count):
        shop.open_pull(f"Number {hour}", author=ada, commits=[oid], at=after(hour))
    return shop


def page(shop: Repo, first: int, cursor: str | None = None, direction: str = "DESC") -> Any:
    asked = {"first": first, "after": cursor, "direction": direction}
    return data(shop.world, PULLS, **asked)["repository"]["pullRequests"]


def numbers(found: Any) -> list[int]:
    return [node["number"] for node in found["nodes"]]


@pytest.mark.parametrize(
    ("direction", "pages"),
    [("DESC", [[5, 4], [3, 2], [1]]), ("ASC", [[1, 2], [3, 4], [5]])],
)
def test_pages_follow_each_other_in_order(direction: str, pages: list[list[int]]) -> None:
    shop, cursor = shop_with_pulls(5), None
    found: list[list[int]] = []
    while True:
        got = page(shop, 2, cursor, direction)
        assert got["totalCount"] == 5
        assert got["pageInfo"]["hasPreviousPage"] == bool(found)
        found.append(numbers(got))
        cursor = got["pageInfo"]["endCursor"]
        if not got["pageInfo"]["hasNextPage"]:
            break

    assert found == pages


def test_edges_hold_the_cursor_of_each_item() -> None:
    shop = shop_with_pulls(3)
    got = page(shop, 2)
    first, last = got["edges"]

    assert (first["cursor"], last["cursor"]) == (
        got["pageInfo"]["startCursor"],
        got["pageInfo"]["endCursor"],
    )
    assert numbers(page(shop, 2, first["cursor"])) == [2, 1]


def test_what_is_touched_between_pages_passes_a_reader_who_goes_down() -> None:
    shop = shop_with_pulls(4)
    first = page(shop, 2)
    shop.label(shop.pulls[1], "late", at=after(10))
    second = page(shop, 2, first["pageInfo"]["endCursor"])

    assert (numbers(first), numbers(second)) == ([4, 3], [2])  # 1 is now before the first page


def test_what_is_touched_between_pages_meets_a_reader_who_goes_up_again() -> None:
    shop = shop_with_pulls(4)
    first = page(shop, 2, direction="ASC")
    shop.label(shop.pulls[1], "late", at=after(10))
    second = page(shop, 9, first["pageInfo"]["endCursor"], "ASC")

    assert (numbers(first), numbers(second)) == ([1, 2], [3, 4, 1])


def test_a_cursor_that_github_did_not_make_is_refused() -> None:
    shop = shop_with_pulls(1)
    for cursor in ("nonsense!", "bm9uc2Vuc2U=", "Y3Vyc29yOnYyOjE="):
        asked = {"first": 1, "after": cursor, "direction": "ASC"}
        (error,) = ask(shop.world, PULLS, **asked)["errors"]

        assert error["type"] == "INVALID_CURSOR_ARGUMENTS"
        assert cursor in error["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("first: 2", [1, 2]),
        ("last: 2", [4, 5]),  # still upwards
        ("first: 9, states: [MERGED]", [2]),
        ("first: 9, states: [CLOSED, MERGED]", [2, 3]),  # merged is not closed here
        ("first: 9, states: [OPEN]", [1, 4, 5]),
        ('first: 9, labels: ["HOT"]', [4]),  # labels know no capitals
        ('first: 9, headRefName: "work-5"', [5]),
        ("first: 1, orderBy: {field: CREATED_AT, direction: DESC}", [5]),
    ],
)
def test_pull_requests_are_chosen_by_what_is_asked_for(arguments: str, expected: list[int]) -> None:
    shop = shop_with_pulls(5)
    shop.merge(shop.pulls[2], at=after(20))
    shop.close(shop.pulls[3], at=after(21))
    shop.label(shop.pulls[4], "hot", at=after(22))
    text = f"""{{ repository(owner: "acme", name: "shop") {{
      pullRequests({arguments}) {{ nodes {{ number }} }} }} }}"""

    assert numbers(data(shop.world, text)["repository"]["pullRequests"]) == expected


def test_history_goes_back_by_the_time_of_commit_and_its_cursors_count() -> None:
    shop = World().repository("acme/shop")
    ada = shop.world.account("ada")
    root = shop.commit("0", author=ada, at=after(0))
    side = shop.commit("2", author=ada, at=after(2), branch="side", parents=[root.oid])
    main = shop.commit("1", author=ada, at=after(1), authored_at=after(-90))
    shop.commit("3", author=ada, at=after(3), parents=[main.oid, side.oid])
    text = """query($after: String, $since: GitTimestamp, $until: GitTimestamp) {
      repository(owner: "acme", name: "shop") { object(expression: "main") { ... on Commit {
        history(first: 3, after: $after, since: $since, until: $until) {
          totalCount pageInfo { hasNextPage endCursor } nodes { message }
        } } } } }"""

    def history(**asked: Any) -> Any:
        return data(shop.world, text, **asked)["repository"]["object"]["history"]

    def told(found: Any) -> str:
        return "".join(node["message"] for node in found["nodes"])

    first = history()
    assert (told(first), first["totalCount"]) == ("321", 4)
    shop.commit("new", author=ada, at=after(9))  # the cursor belongs to the commit it began at
    (error,) = ask(shop.world, text, after=first["pageInfo"]["endCursor"])["errors"]
    assert error["type"] == "INVALID_CURSOR_ARGUMENTS"
    assert told(history(since=timestamp(after(2)), until=timestamp(after(3)))) == "32"


def test_statuses_come_latest_first_and_the_success_is_not_the_latest() -> None:
    world = busy_world()
    text = """{ repository(owner: "acme", name: "shop") { deployments(first: 1) { nodes {
      state createdAt updatedAt latestStatus { state }
      statuses(first: 9) { nodes { state createdAt } } } } } }"""
    (first,) = data(world, text)["repository"]["deployments"]["nodes"]

    assert first["state"] == first["latestStatus"]["state"] == "INACTIVE"
    assert first["updatedAt"] == timestamp(after(61))  # when the next one succeeded
    assert first["statuses"]["nodes"] == [
        {"state": "INACTIVE", "createdAt": timestamp(after(61))},
        {"state": "SUCCESS", "createdAt": timestamp(after(52))},
        {"state": "IN_PROGRESS", "createdAt": timestamp(after(51))},
        {"state": "QUEUED", "createdAt": timestamp(after(50))},
    ]


def test_a_deployment_of_a_commit_that_is_gone_still_names_it() -> None:
    world = busy_world()
    text = """{ repository(owner: "acme", name: "shop") { deployments(first: 9) {
      nodes { commitOid commit { oid } creator { __typename login } } } } }"""
    second = data(world, text)["repository"]["deployments"]["nodes"][1]

    assert second == {
        "commitOid": "0" * 40,
        "commit": None,
        "creator": {"__typename": "Bot", "login": "ci"},  # without [bot] in GraphQL
    }


def test_a_timeline_holds_only_what_is_asked_for_in_the_order_of_time() -> None:
    world = busy_world()
    text = """{ repository(owner: "acme", name: "shop") { pullRequest(number: 3) {
      some: timelineItems(first: 9, itemTypes: [PULL_REQUEST_REVIEW, READY_FOR_REVIEW_EVENT]) {
        nodes { __typename ... on PullRequestReview { state author { login } } } }
      all: timelineItems(first: 99) { nodes { __typename } } } } }"""
    found = data(world, text)["repository"]["pullRequest"]

    assert found["some"]["nodes"] == [
        {"__typename": "ReadyForReviewEvent"},
        {"__typename": "PullRequestReview", "state": "COMMENTED", "author": {"login": "renovate"}},
        {"__typename": "PullRequestReview", "state": "APPROVED", "author": {"login": "bob"}},
    ]
    assert [node["__typename"] for node in found["all"]["nodes"]] == [
        *["PullRequestCommit"] * 3,
        "LabeledEvent",
        "ReadyForReviewEvent",
        "PullRequestReview",
        "PullRequestReview",
        "MergedEvent",
        "ClosedEvent",
    ]


def test_a_pull_request_shows_250_commits_and_counts_them_all() -> None:
    shop = World().repository("acme/shop")
    ada = shop.world.account("ada")
    oids = [shop.commit(str(n), author=ada, at=after(n)).oid for n in range(253)]
    pull = shop.open_pull("Large", author=ada, commits=oids, at=after(300))
    text = """query($id: ID!, $after: String) { node(id: $id) { ... on PullRequest {
      commits(first: 100, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { commit { message } } } } } }"""
    shown, cursor = [], None
    while True:
        got = data(shop.world, text, id=pull.id, after=cursor)["node"]["commits"]
        shown += [node["commit"]["message"] for node in got["nodes"]]
        cursor = got["pageInfo"]["endCursor"]
        if not got["pageInfo"]["hasNextPage"]:
            break

    assert (got["totalCount"], shown) == (253, [str(n) for n in range(250)])


def test_tags_come_by_the_time_of_their_commits_whenever_they_were_made() -> None:
    shop = World().repository("acme/shop")
    ada = shop.world.account("ada")
    old, new = (shop.commit(str(n), author=ada, at=after(n)).oid for n in range(2))
    shop.tag("new", new, at=after(5))
    shop.tag("late", old, at=after(9), tagger=ada)
    text = """{ repository(owner: "acme", name: "shop") { refs(
      refPrefix: "refs/tags/", first: 9, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}
    ) { nodes { name target { __typename ... on Tag { target { oid } } } } } } }"""
    nodes = data(shop.world, text)["repository"]["refs"]["nodes"]

    assert nodes == [
        {"name": "new", "target": {"__typename": "Commit"}},
        {"name": "late", "target": {"__typename": "Tag", "target": {"oid": old}}},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{ repository(owner: "acme", name: "none") { id } }',
            "Could not resolve to a Repository with the name 'acme/none'.",
        ),
        (
            '{ repository(owner: "acme", name: "old-name", followRenames: false) { id } }',
            "Could not resolve to a Repository with the name 'acme/old-name'.",
        ),
        (
            '{ organization(login: "ada") { id } }',  # a person
            "Could not resolve to an Organization with the login of 'ada'.",
        ),
        ('{ user(login: "none") { id } }', "Could not resolve to a User with the login of 'none'."),
        ('{ node(id: "x") { id } }', "Could not resolve to a node with the global id of 'x'"),
        (
            '{ repository(owner: "acme", name: "shop") { issue(number: 99) { id } } }',
            "Could not resolve to an Issue with the number of 99.",
        ),
    ],
)
def test_what_is_not_there_is_null_with_the_words_of_github(text: str, message: str) -> None:
    (error,) = ask(busy_world(), text)["errors"]

    assert (error["type"], error["message"]) == ("NOT_FOUND", message)


def test_an_owner_that_is_not_there_is_null_without_an_error() -> None:
    assert ask(busy_world(), '{ repositoryOwner(login: "none") { id } }') == {
        "data": {"repositoryOwner": None}
    }


def test_one_id_that_is_gone_leaves_the_others() -> None:
    world = busy_world()
    kept, gone = world.repository("acme/shop"), world.repository("acme/empty")
    world.delete(gone)
    answer = ask(world, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[gone.id, kept.id])

    assert answer["data"]["nodes"] == [None, {"id": kept.id}]
    assert [(error["type"], error["path"]) for error in answer["errors"]] == [
        ("NOT_FOUND", ["nodes", 0])
    ]


def test_everything_with_an_id_that_is_asked_for_again_is_found_by_it() -> None:
    world = busy_world()
    shop = world.repository("acme/shop")
    things: list[Any] = [
        shop,
        shop.pulls[3],
        shop.issues[1],
        next(iter(shop.deployments.values())),
        next(iter(shop.releases.values())),
        next(iter(shop.commits.values())),
        next(iter(shop.tag_objects.values())),
        shop.owner,
        world.account("ada"),
    ]
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    assert data(world, text, ids=[one.id for one in things])["nodes"] == [
        {"__typename": one.TYPENAME, "id": one.id} for one in things
    ]


def test_an_empty_repository_has_neither_branch_nor_history() -> None:
    text = """{ repository(owner: "acme", name: "empty") {
      isEmpty pushedAt defaultBranchRef { name } object(expression: "HEAD") { oid }
      pullRequests(first: 1) { totalCount pageInfo { endCursor hasNextPage } } } }"""

    assert data(busy_world(), text)["repository"] == {
        "isEmpty": True,
        "pushedAt": None,
        "defaultBranchRef": None,
        "object": None,
        "pullRequests": {"totalCount": 0, "pageInfo": {"endCursor": None, "hasNextPage": False}},
    }


def test_files_are_found_by_branch_and_path() -> None:
    world = busy_world()
    shop = world.repository("acme/shop")
    shop.files["CODEOWNERS"] = "* @acme/payments\n"
    text = """{ repository(owner: "acme", name: "shop") {
      there: object(expression: "HEAD:CODEOWNERS") { ... on Blob { text byteSize } }
      gone: object(expression: "HEAD:docs/CODEOWNERS") { ... on Blob { text } } } }"""

    assert data(world, text)["repository"] == {
        "there": {"text": "* @acme/payments\n", "byteSize": 17},
        "gone": None,
    }

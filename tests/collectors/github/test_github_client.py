"""What the client makes of answers, failures and moves: on loopback, without real waits."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import responses
from loopback import Hourglass, Loopback, Say

from vpemetrics.collectors.github.client import Client, Missing, Spent, access_by_token
from vpemetrics.collectors.github.queries import Query
from vpemetrics.collectors.github.rate_limits import Limits
from vpemetrics.collectors.http import (
    BadCredentials,
    Forbidden,
    Gone,
    Quota,
    SourceProblem,
    TooHeavy,
)
from vpemetrics.errors import FixConfiguration

SHOP = "/api/v3/repos/acme/shop"
OK = Say(json={"name": "shop"})


@pytest.fixture
def public(hourglass: Hourglass) -> Iterator[Client]:
    """A client of github.com itself, whose answers `responses` gives."""
    access = access_by_token(
        url="https://api.github.com", token="ghp_abc", policy=hourglass.policy()
    )
    yield access.client("acme")
    access.close()


def url(path: str) -> str:
    return f"https://api.github.com{path}"


@responses.activate
def test_a_rest_answer_is_what_github_said(public: Client) -> None:
    responses.get(url("/repos/acme/shop/environments"), json={"total_count": 2})

    answer = public.get("/repos/acme/shop/environments", {"per_page": 5, "recent": True})

    assert answer == {"total_count": 2}
    sent = responses.calls[0].request
    assert (sent.url or "").endswith("/environments?per_page=5&recent=true")
    assert sent.headers["Authorization"] == "token ghp_abc"
    assert sent.headers["User-Agent"].startswith("vpemetrics/")


@responses.activate
def test_pages_are_followed_to_the_last_by_the_links(public: Client) -> None:
    following = '<https://api.github.com/repositories/7/tags?page=2>; rel="next", <x>; rel="last"'
    responses.get(url("/repos/acme/shop/tags"), json=[{"n": 1}], headers={"Link": following})
    responses.get(url("/repositories/7/tags"), json=[{"n": 2}])

    assert list(public.pages("/repos/acme/shop/tags")) == [[{"n": 1}], [{"n": 2}]]
    assert "per_page=100" in (responses.calls[0].request.url or "")


@responses.activate
def test_pages_of_lists_inside_of_answers_are_found_by_their_key(public: Client) -> None:
    responses.get(url("/runs"), json={"total_count": 1, "workflow_runs": [{"id": 1}]})

    assert list(public.pages("/runs", key="workflow_runs")) == [[{"id": 1}]]


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (401, BadCredentials),
        (403, Forbidden),
        (404, Gone),
        (409, Gone),  # an empty repository has no commits
        (410, Gone),  # issues are switched off
        (422, SourceProblem),
        (451, Forbidden),
    ],
)
@responses.activate
def test_a_refusal_is_told_with_what_was_asked_and_what_github_said(
    public: Client, status: int, problem: type[SourceProblem]
) -> None:
    responses.get(url("/repos/acme/shop"), status=status, json={"message": "Because  of\nthis"})

    with pytest.raises(problem, match=r"/repos/acme/shop: .*Because of this") as caught:
        public.get("/repos/acme/shop", {"q": "1"})

    assert type(caught.value) is problem
    assert len(responses.calls) == 1


@responses.activate
def test_a_refused_token_comes_with_the_page_where_its_organisation_lets_it_in(
    public: Client,
) -> None:
    page = "https://github.com/orgs/acme/sso?authorization_request=AZ"
    headers = {"X-GitHub-SSO": f"required; url={page}"}
    message = "Resource protected by organization SAML enforcement."
    responses.get(url("/x"), status=403, json={"message": message}, headers=headers)

    with pytest.raises(Forbidden) as caught:
        public.get("/x")

    assert str(caught.value) == (
        f"asking GitHub for /x: 403 {message}; acme asks for single sign-on (SAML): "
        f"authorize the token at {page}"
    )


@pytest.mark.parametrize(
    ("header", "value", "said"),
    [
        ("X-Accepted-GitHub-Permissions", "actions=read", "the permission actions: read,"),
        (
            "X-Accepted-GitHub-Permissions",
            "issues=read; pull_requests=read",
            "the permission issues: read or pull_requests: read,",
        ),
        ("X-Accepted-OAuth-Scopes", "repo", "the scope repo,"),
    ],
)
@responses.activate
def test_a_refusal_names_what_has_to_be_granted(
    public: Client, header: str, value: str, said: str
) -> None:
    message = {"message": "Resource not accessible by personal access token"}
    responses.get(url("/runs"), status=403, json=message, headers={header: value})

    with pytest.raises(Forbidden) as caught:
        public.get("/runs")

    assert f"it needs {said}" in str(caught.value)


@responses.activate
def test_lists_that_lack_organisations_say_so_once(public: Client, hourglass: Hourglass) -> None:
    headers = {"X-GitHub-SSO": "partial-results; organizations=21955855,20582480"}
    responses.get(url("/user/repos"), json=[], headers=headers)

    list(public.pages("/user/repos"))
    list(public.pages("/user/repos"))

    assert hourglass.announced == [
        "GitHub leaves out organisations that want single sign-on (SAML): 2; "
        "authorize the token for them in its settings"
    ]


@pytest.mark.parametrize("status", [200, 404, 403])
@responses.activate
def test_a_web_page_in_the_place_of_github_is_a_mistake_in_the_address(
    public: Client, status: int
) -> None:
    responses.get(url("/x"), status=status, body="<html>", content_type="text/html; charset=utf-8")

    with pytest.raises(FixConfiguration, match=r"web page answers.*https://HOST/api/v3"):
        public.get("/x")


def test_a_query_gives_its_data_and_counts_its_points(client: Client, github: Loopback) -> None:
    github.say(Say(json={"data": {"repository": {"id": "R"}, "rateLimit": {"cost": 3}}}), OK)

    answer = client.query(Query(label="", text="query Q($n: Int) { … }"), {"n": 50})
    client.get("/x")

    assert answer.data["repository"] == {"id": "R"}
    assert answer.missing == ()
    assert github.asked[0].path == "/api/graphql"
    assert github.asked[0].body == {"query": "query Q($n: Int) { … }", "variables": {"n": 50}}
    assert client.spent == Spent(requests=2, points=3)


def test_a_partial_answer_is_kept_and_says_what_is_missing(
    client: Client, github: Loopback
) -> None:
    errors = [
        {"type": "NOT_FOUND", "path": ["b"], "message": "Could not resolve to a Repository"},
        {"path": ["a", "nodes", 0], "message": "odd"},
    ]
    github.say(Say(json={"data": {"a": {"nodes": [None]}, "b": None}, "errors": errors}))

    answer = client.query(Query(label="", text="query { … }"))

    assert answer.data == {"a": {"nodes": [None]}, "b": None}
    assert answer.missing == (
        Missing(path=("b",), kind="NOT_FOUND", message="Could not resolve to a Repository"),
        Missing(path=("a", "nodes", 0), kind="ERROR", message="odd"),
    )


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ({"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}, Gone),
        ({"type": "FORBIDDEN", "path": ["repository"], "message": "Not for you"}, Forbidden),
        ({"type": "INSUFFICIENT_SCOPES", "message": "needs read:org"}, Forbidden),
        ({"message": "Field 'mergeQueue' doesn't exist on type 'Repository'"}, SourceProblem),
    ],
)
def test_a_query_for_one_thing_that_is_not_given_is_a_problem(
    client: Client, github: Loopback, error: dict[str, object], problem: type[SourceProblem]
) -> None:
    data = {"repository": None, "rateLimit": {"cost": 1}}
    github.say(Say(json={"data": data, "errors": [error]}))

    with pytest.raises(problem, match=f"asking GitHub: .*{error['message']}") as caught:
        client.query(Query(label="", text="query Changes { repository { id } }"))

    assert type(caught.value) is problem


HEAVY = [
    Say(status=502, content=b"<html>unicorn", headers={"Content-Type": "text/html"}),
    Say(status=504, json={"message": "We couldn't respond to your request in time."}),
    Say(json={"errors": [{"message": "Something went wrong while executing your query. Please"}]}),
    Say(json={"data": {"a": 1}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["a"]}]}),
]


@pytest.mark.parametrize("heavy", HEAVY)
def test_who_can_ask_for_less_is_told_at_once_that_it_is_too_much(
    client: Client, github: Loopback, hourglass: Hourglass, heavy: Say
) -> None:
    github.say(heavy)

    with pytest.raises(TooHeavy, match="asking GitHub: "):
        client.query(Query(label="", text="query Changes { … }"), halves=True)

    assert len(github.asked) == 1
    assert hourglass.slept == []


@pytest.mark.parametrize("heavy", HEAVY)
def test_who_cannot_ask_for_less_is_tried_again(
    client: Client, github: Loopback, hourglass: Hourglass, heavy: Say
) -> None:
    github.say(heavy, heavy, Say(json={"data": {"a": 1}}))

    assert client.query(Query(label="", text="query Changes { … }")).data == {"a": 1}
    assert hourglass.slept == [0.5, 1.0]


SOON = datetime(2026, 9, 7, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("token", "hourly", "headers", "kind", "scopes"),
    [
        (
            "ghp_a",
            5000,
            {"X-OAuth-Scopes": "repo, read:org"},
            "classic token",
            ("repo", "read:org"),
        ),
        ("ghp_a", 5000, {"X-OAuth-Scopes": ""}, "classic token", ()),  # may read public things
        ("gho_a", 5000, {"X-OAuth-Scopes": "repo"}, "OAuth token", ("repo",)),
        ("github_pat_a", 5000, {}, "fine-grained token", None),
        ("ghs_a", 5000, {}, "App installation", None),
        ("ghs_a", 1000, {}, "Actions token", None),
        ("0123456789abcdef", 5000, {"X-OAuth-Scopes": "repo"}, "token", ("repo",)),
    ],
)
def test_the_limits_tell_the_token_by_its_looks_and_its_scopes(
    github: Loopback,
    hourglass: Hourglass,
    token: str,
    hourly: int,
    headers: dict[str, str],
    kind: str,
    scopes: tuple[str, ...] | None,
) -> None:
    core = {"limit": hourly, "remaining": 4321, "reset": int(SOON.timestamp())}
    github.say(Say(json={"resources": {"core": core, "graphql": core}}, headers=headers))
    access = access_by_token(url=github.url, token=token, policy=hourglass.policy())

    limits = access.client("acme").limits()

    quota = Quota(limit=hourly, remaining=4321, reset_at=SOON)
    assert limits == Limits(kind=kind, scopes=scopes, core=quota, graphql=quota)
    access.close()


def test_a_server_that_does_not_count_has_no_limits(client: Client, github: Loopback) -> None:
    message = {"message": "Rate limiting is not enabled."}
    github.say(Say(status=404, json=message, headers={"X-OAuth-Scopes": "repo"}))

    assert client.limits() == Limits(kind="classic token", scopes=("repo",))

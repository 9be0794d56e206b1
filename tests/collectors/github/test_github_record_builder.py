"""Records of pull requests and issues, in tables of small payloads in the shape of GitHub's."""

from typing import Any

import pytest
from github_nodes import NAMING, SHA, at, moment

from vpemetrics.collectors.github.record_builder import (
    Cause,
    build_change,
    build_commit,
    build_incident,
    mentions,
    reverted_in,
    root_cause,
    services,
    severity,
)
from vpemetrics.records import AuthorKind, Change

UPSTREAM = """Bumps [pad](https://github.com/left/pad) from 1.0 to 1.1.
<details>
<summary>Release notes</summary>
<p><em>Sourced from <a href="https://github.com/left/pad/releases">pad's releases</a>.</em></p>
<blockquote><ul>
<li>Fixes <a href="https://redirect.github.com/left/pad/issues/2">#2</a> and #3</li>
</ul></blockquote>
</details>
<a href="https://redirect.github.com/left/pad/issues/4">#4</a>

> - Closes #5
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fixes #12", ("acme/shop#12",)),
        ("closes acme/desk#7 and #12, #12 again", ("acme/incidents#7", "acme/shop#12")),
        ("See https://github.com/acme/desk/issues/7#issuecomment-1", ("acme/incidents#7",)),
        ("See https://github.com/Acme/Store/pull/3", ("acme/shop#3",)),
        ("GH-5", ("acme/shop#5",)),
        ("<!-- e.g. Fixes #1 -->Fixes #2", ("acme/shop#2",)),
        ("<!-- never closed: #1", ()),
        ("> Fixes #1", ()),  # somebody else's words
        ("> Fixes #1\n\nNo: #2", ("acme/shop#2",)),
        ("`#1`, ``` x #2 ``` and\n\n```\nFixes #3\n```\n\n    #4", ()),
        (UPSTREAM, ()),
        ("[#2](https://redirect.github.com/left/pad/issues/2) by Renovate", ()),
        ("[#2](https://github.com/left/pad/issues/2)", ("left/pad#2",)),  # not our own
        ("[the till](https://github.com/acme/desk/issues/7)", ("acme/incidents#7",)),
        ("~~Fixes #1~~ <del>#2</del> <code>#3</code> **Fixes** #4", ("acme/shop#4",)),
        ("This does not fix #1, and doesn't close #2", ()),
        ("It won\N{RIGHT SINGLE QUOTATION MARK}t resolve #1 yet. Fixes #2", ("acme/shop#2",)),
        ("This does not mend the flake, fixes #1", ("acme/shop#1",)),
        ("Reverts acme/store#2, #3 and #4 which caused #5", ("acme/shop#5",)),
        ('Revert "Mend the till, fixes #1"\n\nFor #2', ("acme/shop#2",)),  # its old title
        ("colour &#39; anchor /page#12 word#3 ##4", ()),
        ("", ()),
    ],
)
def test_texts_name_issues_and_pull_requests(text: str, expected: tuple[str, ...]) -> None:
    assert mentions(text, NAMING) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Reverts Acme/store#12", ("acme/shop#12",)),  # as GitHub's button writes it
        ("Reverts acme/shop#12\r\n\r\nIt broke.", ("acme/shop#12",)),  # before the rename
        ("Reverts #12", ("acme/shop#12",)),
        ("Reverts other/place#12", ()),
        ("It reverts #12", ()),
        ("> Reverts #12", ()),
    ],
)
def test_bodies_of_reverts_name_what_they_revert(body: str, expected: tuple[str, ...]) -> None:
    assert reverted_in(body, NAMING) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([f"Down.\n\nroot cause: {SHA}"], Cause(sha=SHA)),
        (["**Root cause:** 4f2c9e1, see the logs"], Cause(sha="4f2c9e1")),
        (["- Root-cause - #12"], Cause(change="acme/shop#12")),
        ([f"root cause: https://github.com/acme/store/commit/{SHA}"], Cause(sha=SHA)),
        (["root cause: https://github.com/acme/store/pull/9"], Cause(change="acme/shop#9")),
        (["root cause: #1", "root cause: #2"], Cause(change="acme/shop#2")),  # the last says
        (["root cause: #1", "root cause: not known yet"], Cause(change="acme/shop#1")),
        (["The root cause is #1"], None),
        (["<!-- root cause: #1 -->"], None),
        (["> root cause: #1"], None),
        ([f"root cause: `{SHA}`"], Cause(sha=SHA)),
        ([], None),
    ],
)
def test_texts_name_root_causes(texts: list[str], expected: Cause | None) -> None:
    assert root_cause(texts, NAMING) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(["sev1"], 1), (["SEV-2", "sev3"], 2), (["severity: 4"], 4), (["several"], None), ([], None)],
)
def test_labels_tell_the_severity(labels: list[str], expected: int | None) -> None:
    assert severity(labels) == expected


def test_labels_name_services() -> None:
    assert services(["service: cart", "Service/mail", "bug"]) == ("cart", "mail")


def pull(**fields: Any) -> Change:
    node = {"number": 12, "createdAt": at(1), "author": user("ada"), **fields}
    return build_change(node, NAMING).change


def user(login: str, kind: str = "User") -> dict[str, str]:
    return {"__typename": kind, "login": login}


def review(hour: int, by: dict[str, str] | None, state: str = "COMMENTED") -> dict[str, Any]:
    kind = "PullRequestReview"
    return {"__typename": kind, "state": state, "submittedAt": at(hour), "author": by}


def event(kind: str, hour: int, **fields: Any) -> dict[str, Any]:
    return {"__typename": kind, "createdAt": at(hour), **fields}


@pytest.mark.parametrize(
    ("title", "branch", "body", "expected"),
    [
        ("Mend (cherry-pick #7 for 3.4)", "mend", "", ("acme/shop#7",)),
        ("Mend", "backport-7-to-3.4", "", ("acme/shop#7",)),
        ("Mend", "mend", "Backport of Acme/Store#7 and #8 to v3.", ("acme/shop#7", "acme/shop#8")),
        ("Mend", "mend", "> Backport of #7 to v3.", ()),
    ],
)
def test_a_back_port_names_what_it_brings_to_another_branch(
    title: str, branch: str, body: str, expected: tuple[str, ...]
) -> None:
    assert pull(title=title, headRefName=branch, body=body).backports == expected


@pytest.mark.parametrize(
    ("events", "is_draft", "expected"),
    [
        ([], False, 1),  # never a draft
        ([], True, None),
        ([event("ReadyForReviewEvent", 3)], False, 3),
        ([event("ConvertToDraftEvent", 2), event("ReadyForReviewEvent", 4)], False, 4),
        ([event("ReadyForReviewEvent", 3), event("ConvertToDraftEvent", 4)], True, None),
    ],
)
def test_a_pull_request_is_ready_when_it_last_stopped_being_a_draft(
    events: list[dict[str, Any]], is_draft: bool, expected: int | None
) -> None:
    found = pull(isDraft=is_draft, timelineItems={"nodes": events}).ready_at

    assert found == (None if expected is None else moment(expected))


@pytest.mark.parametrize(
    ("reviews", "first", "approved"),
    [
        ([review(2, user("ada")), review(3, user("bob"))], 3, None),  # not by the author
        ([review(2, user("ci", "Bot")), review(3, user("robot"))], None, None),
        ([review(2, None)], 2, None),  # by somebody who is gone
        ([review(2, user("bob")), review(4, user("eve"), "APPROVED")], 2, 4),
        ([review(2, user("bob"), "DISMISSED")], 2, None),
        ([review(2, user("bob"), "PENDING")], None, None),
        ([{**review(2, user("bob")), "submittedAt": None}], None, None),
    ],
)
def test_the_first_review_is_by_another_person(
    reviews: list[dict[str, Any]], first: int | None, approved: int | None
) -> None:
    found = pull(timelineItems={"nodes": reviews})

    assert found.first_review_at == (moment(first) if first else None)
    assert found.approved_at == (moment(approved) if approved else None)


def test_labels_are_those_it_has_in_the_end() -> None:
    events = [
        event("LabeledEvent", 2, label={"name": "bug"}),
        event("LabeledEvent", 3, label={"name": "hotfix"}),
        event("UnlabeledEvent", 4, label={"name": "bug"}),
        event("LabeledEvent", 5, label=None),  # of a label that is gone
    ]

    assert pull(timelineItems={"nodes": events}).labels == ("hotfix",)


def test_incidents_are_closed_by_name_or_by_a_link() -> None:
    linked = {"number": 7, "repository": {"nameWithOwner": "acme/desk"}}
    other = {"number": 8, "repository": {"nameWithOwner": "acme/store"}}
    events = [
        event("ConnectedEvent", 2, subject=linked),
        event("ConnectedEvent", 3, subject=other),
        event("DisconnectedEvent", 4, subject=other),
        event("ConnectedEvent", 5, subject={}),  # a pull request
    ]

    found = pull(title="Mend #3", body="See #12, fixes #4", timelineItems={"nodes": events})
    assert found.closes == ("acme/shop#3", "acme/shop#4", "acme/incidents#7")


@pytest.mark.parametrize(
    ("author", "login", "kind"),
    [
        (user("ada"), "ada", AuthorKind.PERSON),
        (user("copilot-swe-agent", "Bot"), "copilot-swe-agent[bot]", AuthorKind.AGENT),
        (user("Copilot", "Bot"), "Copilot[bot]", AuthorKind.AGENT),
        (user("dependabot", "Bot"), "dependabot[bot]", AuthorKind.AUTOMATION),
        (user("robot"), "robot", AuthorKind.AUTOMATION),  # configured
        (None, None, None),  # a ghost
    ],
)
def test_the_author_tells_people_from_automation(
    author: Any, login: str | None, kind: AuthorKind | None
) -> None:
    found = pull(author=author)

    assert (found.author, found.author_kind) == (login, kind)


def test_who_asked_an_agent_for_a_change_does_not_review_it() -> None:
    commit = {
        "oid": "a" * 40,
        "message": "x\n\nCo-authored-by: Ada <7+Ada@users.noreply.github.com>",
    }
    events = [review(2, user("ada")), review(3, user("bob"))]
    told = {"commits": {"nodes": [{"commit": commit}]}, "timelineItems": {"nodes": events}}

    assert pull(author=user("Copilot", "Bot"), **told).first_review_at == moment(3)
    assert pull(author=user("eve"), **told).first_review_at == moment(2)


def test_a_body_and_commits_name_the_tools_that_wrote_it() -> None:
    trailer = "Co-authored-by: Claude <noreply@anthropic.com>"
    login = "devin-ai-integration[bot]"
    bot = f"Co-authored-by: {login} <158243242+{login}@users.noreply.github.com>"
    commit = {"oid": "a" * 40, "message": f"Count\n\n{trailer}\n{bot}"}

    assert pull(body=f"Count\n\n{trailer}").marks == ("Claude",)
    assert pull(body=f"Count\n\n{bot}").marks == ("Devin",)
    assert pull(body=f"> {trailer}\n\n<details>\n\n{trailer}\n\n</details>").marks == ()
    assert build_commit(commit, "acme/shop", NAMING.authors).marks == ("Claude", "Devin")


def test_originals_give_the_first_author_date_and_what_is_lost() -> None:
    commits = [{"oid": SHA, "authoredDate": at(3)}, {"oid": "b" * 40, "authoredDate": at(2)}]
    given = {"totalCount": 300, "nodes": [{"commit": one} for one in commits] + [None]}
    found = build_change({"number": 1, "commits": given}, NAMING)

    assert found.change.first_commit_at == moment(2)
    assert found.change.commit_shas == (SHA, "b" * 40)
    assert found.lost == 298


def test_merges_within_a_branch_are_no_originals() -> None:
    commits = [
        {"oid": SHA, "authoredDate": at(3), "message": "Work"},
        {"oid": "b" * 40, "authoredDate": at(2), "message": "Merge branch 'main' into work"},
    ]
    given = {"totalCount": 2, "nodes": [{"commit": one} for one in commits]}
    found = build_change({"number": 1, "commits": given}, NAMING)

    assert (found.change.commit_shas, found.lost) == ((SHA,), 0)
    assert found.change.first_commit_at == moment(3)


def issue(**fields: Any) -> dict[str, Any]:
    marked = {"nodes": [{"name": "Incident"}]}
    return {"number": 7, "createdAt": at(1), "updatedAt": at(9), "labels": marked, **fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"closedAt": at(5)}, 5),
        ({"labels": {"nodes": []}, "timelineItems": {"nodes": []}}, None),
        (
            {
                "labels": {"nodes": [{"name": "bug"}]},
                "timelineItems": {
                    "nodes": [event("UnlabeledEvent", 4, label={"name": "incident"})]
                },
            },
            4,
        ),
    ],
)
def test_an_incident_ends_when_it_is_closed_or_no_incident_any_more(
    fields: dict[str, Any], expected: int | None
) -> None:
    found = build_incident(issue(**fields), ["incident"], NAMING, ("acme/shop",))

    assert found.detected_at == moment(1)
    assert found.resolved_at == (moment(expected) if expected else None)
    assert found.service == ("acme/shop",)


def test_comments_tell_what_the_text_does_not() -> None:
    told = {"body": "root cause: #1", "comments": {"nodes": [{"body": f"Root cause: {SHA}"}]}}
    found = build_incident(issue(**told), ["incident"], NAMING)

    assert (found.cause_sha, found.cause_change) == (SHA, None)

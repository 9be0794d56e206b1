"""Lists over several pages: what is asked for after a page, and that no list is endless."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from loopback import Asked, Loopback, Say

from vpemetrics.collectors.http import (
    HttpClient,
    Keyset,
    NextCursor,
    NextURL,
    Offset,
    PageNumber,
    Paging,
    Request,
    Response,
    SourceProblem,
    follow_link,
    read_pages,
)

ITEMS = [{"id": number} for number in range(1, 8)]


def parameters_of(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(asked.path).query))


def by_link(asked: Asked, url: str) -> Say:
    page = int(parameters_of(asked).get("page", 1))
    links = ['<https://x.example>; rel="first"', f'<{url}/x?page={page + 1}&n=3>; rel="next"']
    shown = links if page * 3 < len(ITEMS) else links[:1]
    return Say(json=ITEMS[page * 3 - 3 : page * 3], headers={"Link": ", ".join(shown)})


def by_offset(asked: Asked, _url: str) -> Say:
    begin = int(parameters_of(asked).get("offset", 0))
    return Say(json={"items": ITEMS[begin : begin + 3], "more": begin + 3 < len(ITEMS)})


def by_number(asked: Asked, _url: str) -> Say:
    page = int(parameters_of(asked).get("page", 1))
    return Say(json=ITEMS[page * 3 - 3 : page * 3])


def by_cursor(asked: Asked, _url: str) -> Say:
    begin = int(parameters_of(asked).get("cursor", 0))
    following = begin + 3 if begin + 3 < len(ITEMS) else None
    return Say(json={"items": ITEMS[begin : begin + 3], "meta": {"next": following}})


def by_url(asked: Asked, url: str) -> Say:
    begin = int(parameters_of(asked).get("from", 0))
    more = {"next": f"{url}/x?from={begin + 3}"} if begin + 3 < len(ITEMS) else {}
    return Say(json={"items": ITEMS[begin : begin + 3], **more})


def by_key(asked: Asked, _url: str) -> Say:
    after = int(parameters_of(asked).get("after", 0))
    return Say(json=[item for item in ITEMS if item["id"] > after][:3])


@pytest.mark.parametrize(
    ("answer", "paging", "key", "requests"),
    [
        (by_link, follow_link, None, 3),
        (by_offset, Offset(), "items", 3),
        (by_number, PageNumber(), None, 3),
        (by_cursor, NextCursor(path="meta.next"), "items", 3),
        (by_url, NextURL(), "items", 3),
        (by_key, Keyset(parameter="after"), None, 4),  # only an empty page is the end
    ],
)
def test_a_list_is_read_to_its_end(
    client: HttpClient,
    server: Loopback,
    answer: Callable[[Asked, str], Say],
    paging: Paging,
    key: str | None,
    requests: int,
) -> None:
    server.answer = lambda asked: answer(asked, server.url)

    pages = list(client.pages("x", {"per_page": 3}, paging=paging, key=key))

    assert [item for page in pages for item in page] == ITEMS
    assert [len(page) for page in pages][:3] == [3, 3, 1]
    assert len(server.asked) == requests


@pytest.mark.parametrize("link", ["", '<x>; rel="prev"', '<x>; title="next"', "nonsense"])
def test_without_a_next_link_there_is_one_page(
    client: HttpClient, server: Loopback, link: str
) -> None:
    server.say(Say(json=ITEMS, headers={"Link": link}))

    assert len(list(client.pages("x"))) == 1


@pytest.mark.parametrize("link", ['<b,c>; title="a"; rel="next"', "<y>; rel=last, <b,c>; rel=next"])
def test_a_link_is_read_as_its_standard_has_it(link: str) -> None:
    response = Response(status=200, headers={"link": link}, content=b"[]")

    assert response.link("next") == "b,c"


@pytest.mark.parametrize("link", ["{url}/x?page=2", "/api/v3/x?page=2", "x?page=2", "?page=2"])
def test_the_next_page_may_leave_out_what_is_the_same(
    client: HttpClient, server: Loopback, link: str
) -> None:
    address = link.format(url=server.url)
    server.say(
        Say(json=[{"id": 1}], headers={"Link": f'<{address}>; rel="next"'}),
        Say(json=[{"id": 2}]),
        Say(json={"items": [{"id": 1}], "next": address}),
        Say(json={"items": [{"id": 2}]}),
    )

    by_header = list(client.pages("x"))
    by_body = list(client.pages("x", paging=NextURL(), key="items"))

    assert by_header == by_body == [[{"id": 1}], [{"id": 2}]]
    assert server.paths == ["/api/v3/x", "/api/v3/x?page=2"] * 2


def endless(body: Callable[[int], Any], link: str = "") -> Callable[[Request], Response]:
    """Answers without an end, of which each is what `body` makes of its number."""
    numbers: Iterator[int] = iter(range(1000))

    def ask(_request: Request) -> Response:
        content = json.dumps(body(next(numbers))).encode()
        return Response(status=200, headers={"link": link}, content=content)

    return ask


@pytest.mark.parametrize(
    ("ask", "paging"),
    [
        # the same address again
        (endless(lambda n: [{"id": n}], '<http://a/x?page=2>; rel="next"'), follow_link),
        # other addresses, and the same items
        (endless(lambda _n: [{"id": 1}] * 100), PageNumber()),
        # a cursor that leads to itself
        (endless(lambda n: {"items": [{"id": n}], "next": "abc"}), NextCursor(path="next")),
        # a key that does not move on
        (endless(lambda n: [{"id": 1, "n": n}]), Keyset(parameter="after")),
    ],
)
def test_a_list_that_leads_back_is_a_problem_and_not_an_end(
    ask: Callable[[Request], Response], paging: Paging
) -> None:
    request = Request(address="x", parameters={"per_page": 1}, server="Forge")
    key = "items" if isinstance(paging, NextCursor) else None

    with pytest.raises(SourceProblem, match="Forge gives the same page again and again"):
        list(read_pages(ask, request, paging, key))


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        ({"message": "hello"}, None, "something else than a list$"),
        ("text", "items", "something else than a list in 'items'"),
        ({"items": {"a": 1}}, "items", "something else than a list in 'items'"),
    ],
)
def test_what_is_no_list_is_a_problem(
    client: HttpClient, server: Loopback, body: object, key: str | None, said: str
) -> None:
    server.say(Say(json=body))

    with pytest.raises(SourceProblem, match=f"asking Forge for x: Forge gave {said}"):
        list(client.pages("x", key=key))


def test_a_list_that_is_left_out_is_empty(client: HttpClient, server: Loopback) -> None:
    server.say(Say(json={"total": 0}), Say(json={"items": None}))

    assert list(client.pages("x", key="items")) == [[]]
    assert list(client.pages("x", key="items")) == [[]]

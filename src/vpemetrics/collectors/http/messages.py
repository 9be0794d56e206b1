"""Requests and responses as they go over the wire; no meaning, no network."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode, urljoin

from vpemetrics.window import parse_instant

Node = Mapping[str, Any]
"""A JSON object of an interface."""

DEFAULT: Final = "requests"
"""The limit that a request counts on where a server has but one."""

# https://www.rfc-editor.org/rfc/rfc8288#section-3
_LINK = re.compile(r"<([^<>]*)>\s*((?:;[^,]*)*)")
_REL = re.compile(r';\s*rel="?([^";]+)"?', re.IGNORECASE)
_PAGE: Final = re.compile(rb"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_LONGEST: Final = 300


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: `address` is a path below the client's `url`, or a URL of the same server.

    `resource` is the limit it counts on. With `may_be_missing` "not found" is an answer like
    others. `label` is what is asked for as a person would say it, the path if it is None;
    `server` is the server's name, which the client fills in.
    """

    address: str
    method: str = "GET"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    resource: str = DEFAULT
    may_be_missing: bool = False
    label: str | None = None
    server: str = "the server"

    @property
    def name(self) -> str:
        """The words that people read, as in `asking GitHub for the repositories of acme`."""
        wanted = self.address.split("?")[0] if self.label is None else self.label
        return f"asking {self.server} for {wanted}" if wanted else f"asking {self.server}"

    @property
    def query(self) -> str:
        """The parameters as they stand in a URL: `true` and `false`, lists as repeated names."""
        return urlencode(
            [
                (name, _spelled(value))
                for name, given in self.parameters.items()
                for value in (given if isinstance(given, list | tuple) else [given])
                if value is not None
            ]
        )


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer, and the URL that gave it; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = ""

    @cached_property
    def json(self) -> Any:
        """The content as JSON; ValueError if it is none, or cut off."""
        return json.loads(self.content)

    @cached_property
    def is_json(self) -> bool:
        """True if the content can be read as JSON."""
        try:
            _ = self.json
        except (ValueError, RecursionError):
            return False
        return True

    @cached_property
    def is_cut_off(self) -> bool:
        """True if the content is the beginning of JSON, and no more."""
        try:
            _ = self.json
        except json.JSONDecodeError as error:
            left = len(error.doc.rstrip()) - error.pos  # `fals` is a value that was cut
            return bool(self.content) and (left < 5 or error.msg.startswith("Unterminated"))
        except (ValueError, RecursionError):
            return False
        return False

    @cached_property
    def is_page(self) -> bool:
        """True if it is for browsers, as that of a proxy or of a site for people."""
        is_called = "text/html" in self.headers.get("content-type", "").lower()
        return is_called or bool(_PAGE.match(self.content))

    @property
    def message(self) -> str:
        """The server's own words about a failure, on one line; empty if there are none."""
        body = self.json if self.is_json else None
        return one_line(_words(body)) if isinstance(body, dict) else ""

    @property
    def sent_at(self) -> datetime | None:
        """The moment of the server's clock; None if it does not say."""
        return parse_http_date(self.headers.get("date"))

    def link(self, rel: str) -> str | None:
        """The URL of a relation, as of the `next` page, in the Link header; None if there is none.

        https://www.rfc-editor.org/rfc/rfc8288
        """
        for url, parameters in _LINK.findall(self.headers.get("link", "")):
            found = _REL.search(parameters)
            if found and rel in found[1].split():
                return self.follow(url)
        return None

    def follow(self, url: str) -> str:
        """Return the URL that one in this answer means: it may leave out what is the same."""
        try:
            return urljoin(self.url, url)
        except ValueError:  # brackets that are no address of IPv6
            return url


def instant(text: str | None) -> datetime | None:
    """The moment that a text in a body names; None for none."""
    return parse_instant(text) if text else None


def parse_http_date(text: str | None) -> datetime | None:
    """The moment a header names, as `Date` and `Retry-After` do; None for none."""
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def one_line(text: str) -> str:
    """A text on one line of bearable length, without halves of letters."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(body: Mapping[str, Any]) -> str:
    """`message` or `error` of a body, be it a text, a list, or an object with a message."""
    said = body.get("message") or body.get("error") or ""
    if isinstance(said, Mapping):
        said = said.get("message") or said.get("error") or ""
    if isinstance(said, Sequence) and not isinstance(said, str):
        said = "; ".join(str(text) for text in said)
    return str(said)

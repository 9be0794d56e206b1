"""The part of a Markdown text that its author says: no quotation, no code, nobody's release notes.

A closing word or a number counts only there (rule F8).
Texts are anybody's, so what is read is bounded.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# The characters of a text on GitHub: https://github.com/orgs/community/discussions/41331
_MOST: Final = 65_536
_MOST_BRACKETS: Final = 2_000
"""More than links with addresses leave room for; each of them may be paired with each."""
_MARKED_UP: Final = re.compile(r"[`~<>\[\\&]|^(?: {4}| *\t)", re.MULTILINE)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>[^<>]*)>")
_HREF: Final = re.compile(r"\bhref\s*=\s*[\"']?(?P<address>[^\"'\s>]+)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?://(?P<host>[^/\s]{1,255})")
# Notes of bots link so, that what they name learns nothing of it:
# https://docs.renovatebot.com/configuration-options/#prbodydefinitions
_REDIRECTS: Final = ("redirect.github.com", "togithub.com", "www.togithub.com")
# Dependency bots fold upstream's notes: https://github.com/dependabot/dependabot-core
_FOLDED: Final = frozenset({"blockquote", "details", "pre"})
"""HTML around what somebody else said, to its end tag."""
_PASSING: Final = frozenset({"a", "cite", "code", "del", "kbd", "q", "s", "samp", "strike"})
"""The same within a paragraph, and to its end at most."""


def own_words(text: str, *, with_code: bool = False) -> str:
    """The author's own words in a Markdown text, a line each as they stand there.

    Of a link with an address that counts and not what it is called, unless it redirects.
    Code between backticks is left out too, unless it is wanted `with_code`.
    """
    text = text[:_MOST].replace("\r\n", "\n")
    if not _MARKED_UP.search(text):
        return text
    if text.count("[") > _MOST_BRACKETS:
        return ""
    return "".join(_Reading(with_code).read(_markdown().parse(text)))


@cache
def _markdown() -> "MarkdownIt":
    # It takes a while to import, and few sources have texts.
    from markdown_it import MarkdownIt

    # https://github.github.com/gfm/: what it has beyond CommonMark and hides words
    return MarkdownIt("commonmark").enable(["strikethrough", "table"])


class _Reading:
    """One text on its way; it knows what is open around the next word."""

    def __init__(self, with_code: bool) -> None:
        self._with_code = with_code
        self._quotations = 0
        self._open: list[str] = []

    def read(self, tokens: Iterable["Token"]) -> Iterator[str]:
        """The words of blocks: https://markdown-it-py.readthedocs.io/en/latest/using.html."""
        for token in tokens:
            if token.type == "inline":
                yield from self._paragraph(token.children or ())
                yield "\n"
            elif token.type == "html_block":
                yield from self._html(token.content)
                self._end_paragraph()
                yield "\n"
            elif token.type in ("blockquote_open", "blockquote_close"):
                self._quotations += token.nesting

    def _paragraph(self, tokens: Iterable["Token"]) -> Iterator[str]:
        for token in tokens:
            match token.type:
                case "text" | "text_special":
                    yield from self._said(token.content)
                case "softbreak" | "hardbreak":
                    yield "\n"
                case "code_inline" if self._with_code:
                    yield from self._said(token.content)
                case "code_inline" | "image":
                    yield from self._said("\N{OBJECT REPLACEMENT CHARACTER}")
                case "html_inline":
                    yield from self._html(token.content)
                case "link_open":
                    yield from self._link(str(token.attrGet("href") or ""))
                case "link_close":
                    self._close("a")
                case "s_open":
                    self._open.append("s")
                case "s_close":
                    self._close("s")
        self._end_paragraph()

    def _html(self, html: str) -> Iterator[str]:
        html, at = _COMMENT.sub("", html), 0
        for tag in _TAG.finditer(html):
            yield from self._said(html[at : tag.start()])
            at, name = tag.end(), tag["name"].lower()
            if tag["end"]:
                self._close(name)
            elif name == "a":
                href = _HREF.search(tag["rest"])
                yield from self._link(href["address"] if href else "")
            elif name in _FOLDED or (name in _PASSING and not (name == "code" and self._with_code)):
                self._open.append(name)
        yield from self._said(html[at:])

    def _link(self, address: str) -> Iterator[str]:
        """The address instead of what it is called; of one within the repository the latter."""
        found = _ADDRESS.match(address)
        if found and found["host"].lower() not in _REDIRECTS:
            yield from self._said(f" {address} ")
        self._open.append("a" if found else "here")

    def _close(self, name: str) -> None:
        names = (name, "here") if name == "a" else (name,)
        for at in reversed(range(len(self._open))):
            if self._open[at] in names:
                del self._open[at]
                return

    def _end_paragraph(self) -> None:
        self._open = [name for name in self._open if name in _FOLDED]

    def _said(self, words: str) -> Iterator[str]:
        if not self._quotations and all(name == "here" for name in self._open):
            yield words


# The verbs of https://docs.github.com/en/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue
# and what people write instead.
_VERB: Final = re.compile(
    r"\b(?P<verb>(?:fix|clos|resolv|address|solv|mend|repair|reopen|relat|mention)"
    r"(?:es|ed|e|ing|s|ion)?)\b",
    re.IGNORECASE,
)
_NOT: Final = re.compile(
    r"(?:\b(?:not|never|cannot|without|isnt|dont|doesnt|wont|cant|didnt|no longer)"
    r"|n['\N{RIGHT SINGLE QUOTATION MARK}]t)(?:\s+[\w-]{1,20}){0,3}\s+$",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"[\n!?;]|\.\s|\bbut\b")
_LOOKED_BACK: Final = 200


def is_denied(words: str, at: int) -> bool:
    """Tell whether what stands at a place is said not to be so, as in `does not fix #1`.

    The last verb before it in its sentence decides.
    """
    before = words[max(0, at - _LOOKED_BACK) : at]
    ends = [found.end() for found in _SENTENCE.finditer(before)]
    sentence = before[ends[-1] :] if ends else before
    verbs = [found.start() for found in _VERB.finditer(sentence)]
    return bool(verbs) and _NOT.search(sentence[: verbs[-1]]) is not None

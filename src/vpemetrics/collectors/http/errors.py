"""Reasons for which a source did not answer, grouped by what the caller can do next.

SourceProblem         its text says what was asked, what came of it, and what to do
├── TooHeavy          ask for less at a time: a page of half the size
├── Gone              leave it: there is nothing under this name, or nothing we may know of
├── Forbidden         leave it, and grant what the text names
├── BadAnswer         leave it out, and ask for it again next time: it is not as documented
├── BadCredentials    stop: nothing else will work with this token or key either
├── Waiting           stop: a limit is reached; the next collection goes on from here
└── Unreachable       stop: there is no connection, or the server is down

No text contains a token, a key or what a query asked.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final

from vpemetrics.collectors.http.messages import Request, Response
from vpemetrics.errors import FixConfiguration, VpemetricsError

# Failures of a server, and of a gateway that waited for it:
# https://www.rfc-editor.org/rfc/rfc9110#section-15.6
_HEAVY_STATUS: Final = frozenset({500, 502, 503, 504})
# https://www.rfc-editor.org/rfc/rfc9110#section-15.4
MOVED: Final = frozenset({301, 302, 307, 308})


class SourceProblem(VpemetricsError):
    """A source did not give what was asked for.

    `concerns_all` is true where nothing else that is asked will go better.
    """

    concerns_all: ClassVar[bool] = False


class TooHeavy(SourceProblem):
    """The answer takes the server too long or is too large; less at a time may work.

    The same again will not if it `is_final`.
    """

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


class Gone(SourceProblem):
    """There is nothing under this name, or nothing that this token may see."""


class Forbidden(SourceProblem):
    """It is there and may not be read; the text says what to grant, and where."""


class BadAnswer(SourceProblem):
    """An answer, or one thing in it, is not of the shape that is documented; the text names it.

    `may_pass` is true of what is but cut off: the same again may be whole.
    """

    def __init__(self, text: str, *, may_pass: bool = False) -> None:
        super().__init__(text)
        self.may_pass = may_pass


class BadCredentials(SourceProblem):
    """The token or key is wrong, expired or revoked."""

    concerns_all = True


class Waiting(SourceProblem):
    """A limit is reached for longer than one is willing to wait; `until` is when it ends."""

    concerns_all = True

    def __init__(self, text: str, *, until: datetime) -> None:
        super().__init__(text)
        self.until = until


class Unreachable(SourceProblem):
    """The connection failed again and again, or once in a way that stays (`is_final`)."""

    concerns_all = True

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


ProblemReader = Callable[[Response, Request, datetime], VpemetricsError | None]
"""From a response, its request and our clock to what is wrong; None if it is an answer."""


def problem_with(response: Response, request: Request, _now: datetime) -> VpemetricsError | None:
    """Return why a response is no answer; None if it is one.

    Refusals for a limit are not looked for. FixConfiguration stands for a web page: then
    something else than the interface answers.
    """
    if response.status in _HEAVY_STATUS:
        return TooHeavy(f"{request.name}: {request.server} failed ({response.status})")
    if response.is_page:
        return FixConfiguration(
            f"url: a web page answers ({response.status}) instead of {request.server}'s interface; "
            "its address may be another one, and a proxy may stand between"
        )
    if 200 <= response.status < 300:
        return no_json(response, request)
    if response.status in MOVED or (response.status == 404 and request.may_be_missing):
        return None
    return _BY_STATUS.get(response.status, _refused)(response, request)


def no_json(response: Response, request: Request) -> BadAnswer | None:
    """The problem with an answer that is no JSON, or ends before it does; None with one that is."""
    if response.is_json:
        return None
    if response.is_cut_off:
        return BadAnswer(f"{request.name}: the answer was cut off", may_pass=True)
    if not response.content:
        return BadAnswer(f"{request.name}: {request.server} answers nothing ({response.status})")
    return BadAnswer(f"{request.name}: {request.server}'s answer is no JSON, or nested too deeply")


def status_text(response: Response) -> str:
    """A failure in the server's own words, as in `404 Not Found`."""
    return f"{response.status} {response.message}".strip()


def bad_credentials(response: Response, request: Request, more: str = "") -> BadCredentials:
    """The problem with a token or key that is refused."""
    return BadCredentials(
        f"{request.name}: {request.server} does not accept the token or key "
        f"({status_text(response)}): it is wrong, expired or revoked; put a new one in its place"
        f"{more}"
    )


def forbidden(response: Response, request: Request, hint: str = "") -> Forbidden:
    """The problem with what may not be read, with a hint about what to grant."""
    return Forbidden(f"{request.name}: {status_text(response)}{hint and '; '}{hint}")


def gone(response: Response, request: Request) -> Gone:
    """The problem with what is not there, or hidden."""
    said = status_text(response)
    return Gone(f"{request.name}: there is nothing of this name that may be seen ({said})")


def _refused(response: Response, request: Request) -> SourceProblem:
    return SourceProblem(f"{request.name}: {request.server} refuses it ({status_text(response)})")


def _not_granted(response: Response, request: Request) -> Forbidden:
    return forbidden(response, request, "the token may not read this")


# https://www.rfc-editor.org/rfc/rfc9110#section-15.5; 451 is a legal block.
_BY_STATUS: Final[Mapping[int, Callable[[Response, Request], SourceProblem]]] = {
    401: bad_credentials,
    403: _not_granted,
    404: gone,
    410: gone,
    451: forbidden,
}

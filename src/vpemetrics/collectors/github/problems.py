"""Why GitHub did not answer, grouped by what the caller can do next.

GitHubProblem         its text says what was asked, what came of it, and what to do
├── TooHeavy          ask for less at a time: a page of half the size
├── Gone              leave it: there is nothing under this name, or nothing we may know of
├── Forbidden         leave it, and grant what the text names
├── BadCredentials    stop: nothing else will work with this token or key either
├── Waiting           stop: a limit is reached; the next collection goes on from here
└── Unreachable       stop: there is no connection, or GitHub is down

No text contains a token, a key or what a query asked.
"""

from datetime import datetime

from vpemetrics.errors import VpemetricsError


class GitHubProblem(VpemetricsError):
    """GitHub did not give what was asked for."""


class TooHeavy(GitHubProblem):
    """The question takes GitHub too long; the same for a smaller page may work."""


class Gone(GitHubProblem):
    """There is nothing under this name, or nothing that this token may see."""


class Forbidden(GitHubProblem):
    """It is there and may not be read; the text says what to grant, and where."""


class BadCredentials(GitHubProblem):
    """The token or key is wrong, expired or revoked."""


class Waiting(GitHubProblem):
    """A limit is reached for longer than one is willing to wait; `until` is when it ends."""

    def __init__(self, text: str, *, until: datetime) -> None:
        super().__init__(text)
        self.until = until


class Unreachable(GitHubProblem):
    """The connection failed again and again, or once in a way that stays (`is_final`)."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


class Cut(Exception):
    """One connection failed; trying again helps, unless that `is_final`."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Slow(Exception):
    """One answer did not come in time."""

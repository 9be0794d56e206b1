"""Secrets: named in the configuration, never written there, never shown.

A reference says where a secret is: `env:NAME`, `file:PATH`, or `gh` (GitHub's own command line).
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vpemetrics.errors import FixConfiguration
from vpemetrics.folders import locate

LITERAL: Final = "a secret stands here itself, and with it in every copy, backup and commit"
HOW_TO: Final = (
    "keep it outside and write where it is: env:NAME (an environment variable), "
    "file:PATH (a file that holds nothing else) or gh (the login of GitHub's command line)"
)
HIDDEN: Final = "(hidden)"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_KEY = re.compile(
    r"(^|_)(token|password|passwd|secret|credentials?|api_?key|private_?key)$", re.IGNORECASE
)
_TOKEN = re.compile(
    r"\bgh[opsur]_\w{8,}|\bgithub_pat_\w{8,}|\bgl[a-z]{2,6}-[\w-]{8,}|\bxox[a-z]-[\w-]{8,}"
    r"|\bATATT[\w-]{8,}|\bA[KS]IA[A-Z0-9]{12,}|\beyJ[\w-]{10,300}\.|\bsk-[\w-]{16,}"
    r"|-----BEGIN |\b(Bearer|Basic|Token) +\S{8,}"
)
# A port (digits and a slash) is no password.
_PASSWORD_IN_URL = re.compile(
    r"(?P<before>://[^\s/?#@:]*:)(?!\d+/)(?P<password>.{1,300})(?P<after>@)"
    r"|(?P<query>[?&](?:password|passwd|pwd|token|sslpassword)=)[^&#]+",
    re.IGNORECASE,
)


# The secrets that this process has handed on: whatever somebody else's code says of them, as an
# error of a library that quotes what it was given, no text of ours repeats. Short words would hide
# too much else, and of addresses it is the password that is hidden.
_handed_on: set[str] = set()
_SHORTEST: Final = 8
_LARGEST: Final = 1 << 16
"""The bytes of a file that may be a secret; a device would give them without end."""


class Secret:
    """A secret's value, which only `reveal` shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; hand it to the one call that needs it and nowhere else."""
        if len(self._value) >= _SHORTEST and "://" not in self._value:
            _handed_on.add(self._value)
        return self._value

    def __repr__(self) -> str:
        return f"Secret{HIDDEN}"


def is_reference(text: str) -> bool:
    """Tell whether a text says where a secret is, instead of being one."""
    return text == "gh" or (text.startswith(("env:", "file:")) and not is_literal(text))


def is_secret_key(key: str) -> bool:
    """Tell whether a setting of this name holds a secret."""
    return _SECRET_KEY.search(key) is not None


def is_literal(text: str) -> bool:
    """Tell whether a text is, or has, a secret: a known shape of token, or a URL's password."""
    return _TOKEN.search(text) is not None or _PASSWORD_IN_URL.search(text) is not None


def mask(text: str) -> str:
    """The text fit to be shown: a URL without its password, no secret; a token not at all."""
    if _TOKEN.search(text):
        return HIDDEN
    for secret in sorted(_handed_on, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _PASSWORD_IN_URL.sub(
        lambda found: (found["query"] or found["before"]) + "…" + (found["after"] or ""), text
    )


def resolve(reference: str, environ: Mapping[str, str], *, folder: Path) -> Secret:
    """The secret a reference names; `folder` is where a relative `file:` path starts.

    FixConfiguration says what is missing, and never repeats what may be a secret.
    """
    if not is_reference(reference):
        raise FixConfiguration(f"{LITERAL}; {HOW_TO}")
    if reference == "gh":
        return _from_gh(environ)
    scheme, _, place = reference.partition(":")
    return (
        _from_environment(place, environ) if scheme == "env" else _from_file(locate(folder, place))
    )


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    if not _NAME.fullmatch(name):
        raise FixConfiguration("env: wants the name of an environment variable, as in env:NAME")
    value = environ.get(name, "").strip()
    if not value:
        raise FixConfiguration(f"env:{name}: the environment variable {name} is not set")
    return Secret(value)


def _from_file(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        value = content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be read as text"
        raise FixConfiguration(f"file:{path}: {reason}") from error
    if len(content) > _LARGEST:
        raise FixConfiguration(f"file:{path}: the file holds more than a secret")
    if not value:
        raise FixConfiguration(f"file:{path}: the file is empty")
    return Secret(value)


def _from_gh(environ: Mapping[str, str]) -> Secret:
    program = shutil.which("gh", path=environ.get("PATH", ""))
    if program is None:
        raise FixConfiguration("gh: GitHub's command line is not installed; use env:NAME instead")
    try:
        answer = subprocess.run(
            [program, "auth", "token"],
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FixConfiguration(
            "gh: `gh auth token` gave no answer; use env:NAME instead"
        ) from error
    if answer.returncode != 0 or not answer.stdout.strip():
        raise FixConfiguration("gh: not logged in; run `gh auth login`, or use env:NAME instead")
    return Secret(answer.stdout.strip())

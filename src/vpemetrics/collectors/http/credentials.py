"""Tokens and addresses, checked before anything is sent anywhere."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from vpemetrics.addresses import host_of
from vpemetrics.collectors.sizes import parse_size
from vpemetrics.errors import FixConfiguration

_TOKEN: Final = re.compile(r"[!-~]+")


def check_token(token: str) -> str:
    """Return the token, if it can be one: in a header anything else would be quoted by an error.

    FixConfiguration, which does not repeat it, if it cannot.
    """
    if not is_token(token):
        raise FixConfiguration(
            "token: what it names is no token, as there is a space, a line break or a letter "
            "beyond ASCII in it; the secret has to be the token and nothing else"
        )
    return token


def check_settings(token: str, max_answer: str, *, example: str) -> None:
    """Raise ValueError for a size that is none, and for the login to GitHub as a token.

    That login is not for another server's eyes.
    """
    if token == "gh":  # noqa: S105 # it is no secret, but the name of one
        raise ValueError(f'token: "gh" is the login to GitHub; write where it is, as "{example}"')
    parse_size(max_answer)


def is_token(token: str) -> bool:
    """Return whether a text can stand in a header as a token."""
    return _TOKEN.fullmatch(token) is not None


def check_url(url: str, *, example: str) -> str:
    """Return the address of an interface, without a slash at the end, if it can be one.

    FixConfiguration with an example if it cannot: a token goes over TLS or stays on this machine.
    """
    parts = urlsplit(url)
    is_odd = parts.scheme in ("https", "http") and host_of(url) is None
    if is_odd or not parts.hostname:
        raise FixConfiguration(f"url: wants an address and nothing else, as {example}")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts)):
        raise FixConfiguration(f"url: {url} has to begin with https, as a token is sent there")
    return url.rstrip("/")


def _is_loopback(parts: SplitResult) -> bool:
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"

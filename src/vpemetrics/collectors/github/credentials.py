"""Tokens and addresses, checked before anything is sent anywhere."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from vpemetrics.errors import FixConfiguration

# https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available/
_KINDS: Final = {
    "github_pat_": "fine-grained token",
    "ghp_": "classic token",
    "gho_": "OAuth token",
    "ghs_": "App installation",
    "ghu_": "App user token",
}
_TOKEN = re.compile(r"[!-~]+")
_PUBLIC: Final = "https://api.github.com"


def token_kind(token: str) -> str:
    """What kind of token this is, by its looks."""
    return next((kind for start, kind in _KINDS.items() if token.startswith(start)), "token")


def checked_token(token: str) -> str:
    """The token, if it can be one: in a header anything else would be quoted by an error."""
    if not _TOKEN.fullmatch(token):
        raise FixConfiguration(
            "token: what it names is no token, as there is a space, a line break or a letter "
            "beyond ASCII in it; the secret has to be the token and nothing else"
        )
    return token


def checked_url(url: str) -> str:
    """The address of a REST interface, without a slash at the end, if it can be one."""
    parts = urlsplit(url)
    if parts.hostname in ("github.com", "www.github.com"):
        raise FixConfiguration(f"url: {url} is GitHub's site for people; write {_PUBLIC}")
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        raise FixConfiguration(f"url: wants an address and nothing else, as {_PUBLIC}")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts)):
        raise FixConfiguration(f"url: {url} has to begin with https, as a token is sent there")
    return url.rstrip("/")


def _is_loopback(parts: SplitResult) -> bool:
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"

"""Addresses of servers, as far as every program takes them apart in the same way."""

import re
from typing import Final

# Letters beyond ASCII, accounts, backslashes and blanks are read differently by those who split
# an address and those who connect: https://url.spec.whatwg.org/#url-parsing
_ORIGIN: Final = (
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
)
_PLAIN: Final = re.compile(rf"{_ORIGIN}(?:/[\w.~%/+-]*)?", re.IGNORECASE | re.ASCII)
_BEGINNING: Final = re.compile(rf"{_ORIGIN}(?![^/?#])", re.IGNORECASE | re.ASCII)


def host_of(address: str) -> str | None:
    """The host of an address, with its port if it is not the usual one; None if it is not plain.

    One that is not encrypted is told apart, as in `http://localhost:80`.
    """
    return _host(_PLAIN.fullmatch(address))


def origin_of(address: str) -> str | None:
    """The host as by `host_of`, of an address that may go on in any way after it.

    None where programs could differ about where the host ends.
    """
    return _host(_BEGINNING.match(address))


def _host(found: re.Match[str] | None) -> str | None:
    if found is None:
        return None
    host, port = found["host"].lower(), int(found["port"] or 0)
    if found["scheme"].lower() == "http":
        return f"http://{host}:{port or 80}"
    return f"{host}:{port}" if port not in (0, 443) else host

"""Addresses of servers, as far as every program takes them apart in the same way."""

import re
from typing import Final

# Letters beyond ASCII, accounts, backslashes and blanks are read differently by those who split
# an address and those who connect: https://url.spec.whatwg.org/#url-parsing
_PLAIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?:/[\w.~%/+-]*)?",
    re.IGNORECASE | re.ASCII,
)


def host_of(address: str) -> str | None:
    """The host of an address, with its port if it is not the usual one; None if it is not plain.

    One that is not encrypted is told apart, as in `http://localhost:80`.
    """
    found = _PLAIN.fullmatch(address)
    if found is None:
        return None
    host, port = found["host"].lower(), int(found["port"] or 0)
    if found["scheme"].lower() == "http":
        return f"http://{host}:{port or 80}"
    return f"{host}:{port}" if port not in (0, 443) else host

import pytest

from vpemetrics.addresses import host_of, origin_of


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://api.github.com", "api.github.com"),
        ("https://API.GitHub.com/", "api.github.com"),
        ("https://github.acme.com:443/api/v3", "github.acme.com"),
        ("https://github.acme.com:8443/api/v3", "github.acme.com:8443"),
        ("http://localhost/api", "http://localhost:80"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://[::1]:8443/", "[::1]:8443"),
        ("https://xn--mller-kva.example", "xn--mller-kva.example"),
    ],
)
def test_an_address_has_the_host_that_is_connected_to(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example\\.api.github.com",  # some programs stop at the backslash
        "https://evil.example\\@api.github.com",
        "https://api.github.com@evil.example",
        "https://me:pw@api.github.com",
        "https://evil.example\n.api.github.com",
        "https://api.github.com\t",
        " https://api.github.com",
        "https://ａpi.github.com",  # letters that look like others
        "https://api%2egithub.com",
        "https://api.github.com?x=1",
        "https://api.github.com#x",
        "https://",
        "ftp://api.github.com",
        "//api.github.com",
        "api.github.com",
        "",
    ],
)
def test_an_address_that_could_be_read_in_two_ways_has_none(address: str) -> None:
    assert host_of(address) is None


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://api.github.com", "api.github.com"),
        ("https://api.github.com:443/x?page=2#y", "api.github.com"),
        ("https://api.github.com?page=2", "api.github.com"),
        ("https://api.github.com/\\x", "api.github.com"),
        ("http://127.0.0.1:5000/x y", "http://127.0.0.1:5000"),
        ("https://evil.example\\@api.github.com/x", None),
        ("https://api.github.com\\@evil.example/x", None),
        ("https://api.github.com@evil.example/x", None),
        ("https://api.github.com\t/x", None),
        ("https://api.github.com:44x/x", None),
        ("//api.github.com/x", None),
    ],
)
def test_an_address_begins_with_the_host_that_is_connected_to(
    address: str, host: str | None
) -> None:
    assert origin_of(address) == host

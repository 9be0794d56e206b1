"""What can be an address of GitHub, and what is said of others."""

import pytest

from vpemetrics.collectors.github.credentials import check_github_url
from vpemetrics.errors import FixConfiguration


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.github.com", "https://api.github.com"),
        ("https://github.acme.com/api/v3/", "https://github.acme.com/api/v3"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com"),
        ("http://127.0.0.1:80/api/v3", "http://127.0.0.1:80/api/v3"),
        ("http://localhost/api/v3", "http://localhost/api/v3"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_taken_without_a_slash_at_its_end(url: str, address: str) -> None:
    assert check_github_url(url) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://github.acme.com/api/v3", "has to begin with https"),
        ("ftp://127.0.0.1", "has to begin with https"),
        ("http://127.0.0.1.acme.com", "has to begin with https"),
        ("https://github.com", "write https://api.github.com"),
        ("github.acme.com", "wants an address"),
        ("https://api.github.com?x=1", "wants an address and nothing else"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url: str, said: str) -> None:
    with pytest.raises(FixConfiguration, match=f"url: .*{said}"):
        check_github_url(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(FixConfiguration) as caught:
        check_github_url("https://ann:hunter2@api.github.com")

    assert "hunter2" not in str(caught.value)

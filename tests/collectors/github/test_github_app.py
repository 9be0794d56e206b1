"""A GitHub App with several installations, against an App of few words with a real key."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from loopback import Asked, Hourglass, Loopback, Say

from vpemetrics.collectors.github.client import Access, Spent, access_by_app
from vpemetrics.collectors.http import BadCredentials, Forbidden, Gone
from vpemetrics.errors import FixConfiguration


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: RSAPrivateKey, password: bytes | None = None) -> str:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


class TheApp:
    """Gives tokens to its installations, and answers those that come with a good one."""

    def __init__(self, hourglass: Hourglass, key: RSAPrivateKey) -> None:
        self.hourglass = hourglass
        self.key = key
        self.installations = [self.installation(1, "acme"), self.installation(2, "Globex")]
        self.given: list[str] = []
        self.revoked: set[str] = set()

    @staticmethod
    def installation(number: int, account: str, suspended: str | None = None) -> dict[str, Any]:
        return {
            "id": number,
            "account": {"login": account},
            "app_slug": "acme-metrics",
            "permissions": {"actions": "read"},
            "suspended_at": suspended,
        }

    def answer(self, asked: Asked) -> Say:
        word, _, credential = asked.headers["Authorization"].partition(" ")
        if "/app/" in asked.path:
            assert word == "Bearer"
            options: Any = {"verify_exp": False, "verify_iat": False}  # our clock is made up
            claims = jwt.decode(
                credential, self.key.public_key(), algorithms=["RS256"], options=options
            )
            assert claims["iss"] == "123"
            return self._as_the_app(asked)
        if credential not in self.given or credential in self.revoked:
            return Say(status=401, json={"message": "Bad credentials"})
        return Say(json={"path": asked.path, "token_of": credential.removeprefix("ghs_")})

    def _as_the_app(self, asked: Asked) -> Say:
        if asked.method == "GET":
            return Say(json=self.installations)
        self.given.append(f"ghs_{asked.path.split('/')[-2]}_{len(self.given)}")
        end = self.hourglass.now + timedelta(hours=1)
        return Say(
            status=201, json={"token": self.given[-1], "expires_at": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        )


@pytest.fixture
def the_app(github: Loopback, hourglass: Hourglass, key: RSAPrivateKey) -> TheApp:
    the_app = TheApp(hourglass, key)
    github.answer = the_app.answer
    return the_app


@pytest.fixture
def access(github: Loopback, hourglass: Hourglass, the_app: TheApp) -> Iterator[Access]:
    access = access_by_app(
        url=github.url, app=123, private_key=pem(the_app.key), policy=hourglass.policy()
    )
    yield access
    access.close()


def test_every_account_has_its_own_token(access: Access, the_app: TheApp) -> None:
    acme, globex = access.client("ACME"), access.client("globex")

    tokens = [client.get("/x")["token_of"] for client in (acme, globex, acme)]

    assert access.accounts == ("acme", "Globex")
    assert tokens == ["1_0", "2_1", "1_0"]
    assert access.spent == Spent(requests=6)


def test_every_installation_has_its_own_limit(
    access: Access, github: Loopback, the_app: TheApp, hourglass: Hourglass
) -> None:
    def answer(asked: Asked) -> Say:
        if hourglass.slept or "ghs_1_" not in asked.headers["Authorization"]:
            return the_app.answer(asked)
        return Say(status=429, json={})

    github.answer = answer
    asking = Thread(target=access.client("acme").get, args=("/x",))
    waiting, go = Event(), Event()

    def hold() -> None:
        waiting.set()
        go.wait(10)

    hourglass.before_sleep = hold
    asking.start()
    assert waiting.wait(10)

    access.client("Globex").get("/x")

    assert hourglass.slept == []
    go.set()
    asking.join(10)
    assert sum(hourglass.slept) == 60


def test_a_token_is_made_anew_before_its_hour_is_over(
    access: Access, the_app: TheApp, hourglass: Hourglass
) -> None:
    client = access.client("acme")
    client.get("/x")
    hourglass.sleep(57 * 60)
    client.get("/x")
    assert len(the_app.given) == 1

    hourglass.sleep(2 * 60)
    client.get("/x")

    assert len(the_app.given) == 2


def test_a_token_that_is_refused_is_made_anew_once(access: Access, the_app: TheApp) -> None:
    client = access.client("acme")
    client.get("/x")
    the_app.revoked = {"ghs_1_0"}

    assert client.get("/x")["token_of"] == "1_1"

    the_app.revoked = {"ghs_1_1", "ghs_1_2"}
    with pytest.raises(BadCredentials):
        client.get("/x")


def test_the_limits_of_an_installation_tell_what_it_may_do(
    access: Access, github: Loopback, the_app: TheApp
) -> None:
    limits = access.client("acme").limits()

    assert limits.kind == "App installation"
    assert limits.permissions == {"actions": "read"}


def test_an_account_without_the_app_says_where_to_install_it(access: Access) -> None:
    with pytest.raises(Forbidden) as caught:
        access.client("initech")

    assert str(caught.value) == (
        "initech: the App is not installed there; install it at "
        "https://github.com/apps/acme-metrics, with the repositories that are to be read"
    )


def test_a_suspended_installation_counts_as_none(
    github: Loopback, hourglass: Hourglass, the_app: TheApp
) -> None:
    the_app.installations.append(the_app.installation(3, "initech", "2026-09-01T00:00:00Z"))

    access = access_by_app(
        url=github.url, app=123, private_key=pem(the_app.key), policy=hourglass.policy()
    )

    assert access.accounts == ("acme", "Globex")
    with pytest.raises(Forbidden, match=r"\(suspended at initech\)"):
        access.client("initech")
    access.close()


def test_an_app_that_is_nowhere_installed_is_a_mistake_to_mend(
    github: Loopback, hourglass: Hourglass, the_app: TheApp
) -> None:
    the_app.installations = []

    with pytest.raises(FixConfiguration, match="app 123: it is not installed anywhere"):
        access_by_app(
            url=github.url, app=123, private_key=pem(the_app.key), policy=hourglass.policy()
        )


def test_an_installation_that_is_gone_says_so(
    access: Access, github: Loopback, the_app: TheApp
) -> None:
    github.answer = lambda _asked: Say(status=404, json={"message": "Not Found"})

    with pytest.raises(Gone, match="/app/installations/1/access_tokens"):
        access.client("acme").get("/x")


def test_a_clock_that_is_wrong_is_named_where_the_key_is_refused(
    github: Loopback, hourglass: Hourglass, key: RSAPrivateKey
) -> None:
    message = {"message": "'Expiration time' claim ('exp') is too far in the future"}
    theirs = {"Date": "Mon, 07 Sep 2026 11:30:00 GMT"}
    github.answer = lambda _asked: Say(status=401, json=message, headers=theirs)

    with pytest.raises(
        BadCredentials, match=r"wrong, expired or revoked.* clock differs from GitHub's by 30 min"
    ):
        access_by_app(url=github.url, app=123, private_key=pem(key), policy=hourglass.policy())


@pytest.mark.parametrize("broken", ["nothing of the kind, and no key at all", "cut", "locked"])
def test_a_key_that_cannot_be_used_is_refused_and_not_repeated(
    github: Loopback, hourglass: Hourglass, key: RSAPrivateKey, broken: str
) -> None:
    text = {"cut": pem(key)[:400], "locked": pem(key, b"hunter2")}.get(broken, broken)

    with pytest.raises(FixConfiguration, match="app 123: its private key cannot be used") as caught:
        access_by_app(url=github.url, app=123, private_key=text, policy=hourglass.policy())

    assert text[30:60] not in str(caught.value)
    assert github.asked == []

"""TLS on loopback: who is not trusted gets no token, and a company's own certificate is."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID
from loopback import Hourglass, Loopback, Say, loopback

from vpemetrics.collectors.http import HttpClient, SecretHeaders, TooHeavy, Unreachable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(hourglass: Hourglass, certificate: Path) -> Iterator[Loopback]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrap(server: ThreadingHTTPServer) -> None:
        server.socket = context.wrap_socket(server.socket, server_side=True)

    with loopback(hourglass, prepare=wrap) as running:
        running.url = running.url.replace("http://", "https://")
        running.say(Say(json={"a": 1}))
        yield running


def client_of(server: Loopback, hourglass: Hourglass) -> HttpClient:
    headers = SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"})
    return HttpClient(server.url, headers, server="Forge", policy=hourglass.policy())


def test_a_certificate_that_nobody_knows_is_refused_at_once(
    secure: Loopback, hourglass: Hourglass
) -> None:
    with (
        client_of(secure, hourglass) as client,
        pytest.raises(Unreachable, match=r"its certificate is not trusted here .*REQUESTS_CA_BUN"),
    ):
        client.get("x")

    assert secure.asked == []
    assert hourglass.slept == []


def test_a_certificate_that_the_environment_names_is_trusted(
    secure: Loopback, hourglass: Hourglass, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    with client_of(secure, hourglass) as client:
        assert client.get("x") == {"a": 1}


def test_a_dripping_answer_is_given_up_over_tls_too(
    secure: Loopback, hourglass: Hourglass, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    secure.script.clear()
    secure.say(Say(json={}, drip=0.01, drip_headers=True))
    headers = SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"})
    policy = hourglass.policy(total_time=timedelta(milliseconds=300))

    with (
        HttpClient(secure.url, headers, server="Forge", policy=policy) as client,
        pytest.raises(TooHeavy, match="did not end within"),
    ):
        client.get("x")

"""Fetching a mirror where a server, a setting or a network leads elsewhere.

The token goes to its own host and nowhere else; what companies depend on goes on working.
"""

import os
import ssl
import stat
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from github_with_git import with_git
from gitrepository import GitRepository, new_repository
from loopback import serving

from vpemetrics.collectors.git.mirror import Mirror, Mirrors, Unfetched

pytestmark = pytest.mark.slow

TOKEN = "canary-0123456789abcdef"
HERE = x509.IPAddress(ip_address("127.0.0.1"))
ACCOUNT = b64encode(f"x-access-token:{TOKEN}".encode()).decode()


class Stranger(ThreadingHTTPServer):
    """A server that is not the mirror's; it keeps what it is sent."""

    def __init__(self, answer: "type[BaseHTTPRequestHandler]") -> None:
        super().__init__(("127.0.0.1", 0), answer)
        self.heard: list[str] = []
        self.leads_to = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Stranger

    def do_GET(self) -> None:
        self.server.heard.append(f"{self.command} {self.path}\n{self.headers}")
        self.answer()

    def do_POST(self) -> None:
        self.do_GET()

    def answer(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at what was heard."""


class _Redirect(_Handler):
    def answer(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.server.leads_to + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Proxy(_Handler):
    """Passes on what it is asked for by its whole address."""

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        connection = HTTPConnection(parts.netloc)
        address = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(self.command, address, content, dict(self.headers))
        found = connection.getresponse()
        body = found.read()
        self.send_response(found.status)
        for name, value in found.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()


@contextmanager
def stranger(answer: "type[_Handler]") -> Iterator[Stranger]:
    server = Stranger(answer)
    with serving(server):
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with settings of git, and no variable that tells git more."""
    for name in [name for name in os.environ if "PROXY" in name.upper() or "SSL" in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "home" / ".gitconfig"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def origin(tmp_path: Path) -> GitRepository:
    path = tmp_path / "origin" / "acme" / "shop.git"
    repository = new_repository(path)
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit("First")
    return repository


@pytest.fixture
def host(origin: GitRepository, tmp_path: Path) -> Iterator[str]:
    """The address of who has the repository and asks for the token."""
    with with_git("http://127.0.0.1:1", tmp_path / "origin", token=TOKEN) as url:
        yield url.removesuffix("/api/v3")


def mirror_of(url: str, tmp_path: Path) -> Mirror:
    mirrors = Mirrors(folder=tmp_path / "cache", url=url, account=ACCOUNT)
    return mirrors.mirror("R_1", "acme/shop", paths=False)


def test_the_account_is_not_sent_after_a_redirect(home: Path, host: str, tmp_path: Path) -> None:
    with stranger(_Handler) as thief, stranger(_Redirect) as here:
        here.leads_to = thief.url
        mirror = mirror_of(here.url, tmp_path)

        with pytest.raises(Unfetched, match="sends on to another address"):
            mirror.update()

    assert any(ACCOUNT in heard for heard in here.heard)
    assert thief.heard == []


def test_a_redirect_of_a_later_fetch_leads_nowhere_either(
    home: Path, host: str, origin: GitRepository, tmp_path: Path
) -> None:
    mirror_of(host, tmp_path).update()
    with stranger(_Handler) as thief, stranger(_Redirect) as here:
        here.leads_to = thief.url

        with pytest.raises(Unfetched, match="sends on to another address"):
            mirror_of(here.url, tmp_path).update()

    assert thief.heard == []


def test_the_account_is_not_sent_where_a_setting_leads(
    home: Path, host: str, tmp_path: Path
) -> None:
    with stranger(_Handler) as company:
        (home / ".gitconfig").write_text(f'[url "{company.url}/"]\n\tinsteadOf = {host}/\n')

        with pytest.raises(Unfetched, match="not found"):
            mirror_of(host, tmp_path).update()

    assert company.heard
    assert not any("Authorization" in heard for heard in company.heard)


def test_ssh_where_a_setting_leads_gets_no_account(
    home: Path, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, ssh = tmp_path / "seen", tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f"#!/bin/sh\nenv > '{seen}'\necho \"$@\" >> '{seen}'\nexit 1\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    (home / ".gitconfig").write_text(f'[url "ssh://git@company.example/"]\n\tinsteadOf = {host}/\n')

    with pytest.raises(Unfetched):
        mirror_of(host, tmp_path).update()

    text = seen.read_text()
    assert "git@company.example" in text
    assert "SSH_AUTH_SOCK=/agent" in text
    assert ACCOUNT not in text


@pytest.mark.parametrize("address", ["file:///etc", "git://127.0.0.1", "ext::true ", "/etc"])
def test_no_other_way_leads_out(home: Path, host: str, tmp_path: Path, address: str) -> None:
    (home / ".gitconfig").write_text(f'[url "{address}"]\n\tinsteadOf = {host}\n')

    with pytest.raises(Unfetched, match="not allowed"):
        mirror_of(host, tmp_path).update()


def test_a_plain_connection_leaves_this_machine_for_nobody(home: Path, tmp_path: Path) -> None:
    with pytest.raises(Unfetched, match="transport 'http' not allowed"):
        mirror_of("http://git.example", tmp_path).update()


@pytest.mark.parametrize("by", ["variable", "setting"])
def test_a_proxy_of_the_company_is_used(
    home: Path, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    with stranger(_Proxy) as proxy:
        if by == "variable":
            monkeypatch.setenv("http_proxy", proxy.url)
        else:
            (home / ".gitconfig").write_text(f"[http]\n\tproxy = {proxy.url}\n")

        mirror = mirror_of(host, tmp_path)
        mirror.update()

    assert proxy.heard
    assert mirror.git.text("rev-parse", "HEAD")


def authority(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that only who is told of it trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "ca.pem", folder / "key.pem"


class _Secure(_Proxy):
    """Passes on to the one behind."""

    def answer(self) -> None:
        self.path = self.server.leads_to + self.path
        super().answer()


@pytest.mark.parametrize("by", ["variable", "setting", "nothing"])
def test_an_authority_of_the_company_is_trusted_where_a_person_says_so(
    home: Path, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    certificate, key = authority(tmp_path / "authority")
    with stranger(_Secure) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.leads_to = host
        mirror = mirror_of(f"https://127.0.0.1:{server.server_port}", tmp_path)
        if by == "variable":
            monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
        elif by == "setting":
            (home / ".gitconfig").write_text(f"[http]\n\tsslCAInfo = {certificate}\n")
        else:
            with pytest.raises(Unfetched, match="certificate"):
                mirror.update()
            assert server.heard == []
            return

        mirror.update()

    assert mirror.git.text("rev-parse", "HEAD")


def test_an_id_of_a_server_is_no_path(tmp_path: Path) -> None:
    mirrors = Mirrors(folder=tmp_path / "cache", url="https://git.example", account=ACCOUNT)

    places = [
        mirrors.mirror(id_, "acme/shop", paths=False).path
        for id_ in ("../../.ssh", "/etc/passwd", "a/b", "..", "x" * 300, "R_kgDOABC=", "12")
    ]

    assert {place.parent for place in places} == {tmp_path / "cache"}
    assert len(set(places)) == len(places)


def test_the_account_is_in_no_text_of_ours(tmp_path: Path) -> None:
    mirror = mirror_of("https://git.example", tmp_path)

    assert ACCOUNT not in repr(mirror) + repr(mirror.mirrors)


def test_mirrors_are_for_their_owner_only(home: Path, host: str, tmp_path: Path) -> None:
    mirror = mirror_of(host, tmp_path)

    mirror.update()

    assert stat.S_IMODE(mirror.path.parent.stat().st_mode) == 0o700

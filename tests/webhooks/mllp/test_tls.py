"""Only certificates of the named authority send, each only for the feeds it may speak for; files that fail are said."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.settings import SettingsError, load
from messaging.models import Clinic
from tests.config.test_settings import GOOD
from tests.webhooks.ehr_world import World
from tests.webhooks.mllp.sender import booking, framed, heard_by_mllp, listening
from webhooks.mllp import tls


class Authority:
    """An authority that signs certificates into files of a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = self.folder / f"{name}.pem"
        self.file.write_bytes(self._signed(name, self._key, is_authority=True))

    def sign(self, name: str) -> tuple[Path, Path]:
        """A certificate of this common name with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        files = self.folder / f"{self.name}-{name}.pem", self.folder / f"{self.name}-{name}.key"
        files[0].write_bytes(self._signed(name, key, is_authority=False))
        plain = serialization.NoEncryption()
        pkcs8 = serialization.PrivateFormat.PKCS8
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
        return files

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> bytes:
        now = datetime.now(UTC)
        named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)]) for who in (name, self.name)]
        public, ours = key.public_key(), self._key.public_key()
        made = (
            x509.CertificateBuilder(issuer_name=named[1], subject_name=named[0], public_key=public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "clinic")


def settings_of(authority: Authority, **more: str) -> Any:
    certificate, key = authority.sign("warmthread")
    files = {
        "WARMTHREAD_MLLP_CERT": str(certificate),
        "WARMTHREAD_MLLP_KEY": str(key),
        "WARMTHREAD_MLLP_CLIENT_CA": str(authority.file),
    }
    return load(GOOD | {"WARMTHREAD_MLLP_PORT": "2575", "WARMTHREAD_MLLP_BIND": "0.0.0.0"} | files | more)


def client(trusted: Authority, certificate: tuple[Path, Path] | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trusted.file)
    if certificate:
        context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    world = World(clinic)
    heard_by_mllp(world, certificate="engine.example")
    return world


def test_a_certificate_sends_for_the_feeds_it_may_speak_for_alone(world: World, authority: Authority) -> None:
    with listening(tls.context(settings_of(authority))) as running:
        with running.sender(client(authority, authority.sign("engine.example"))) as sender:
            sender.send(framed(booking(1)))
            assert sender.code() == "AA"
        with running.sender(client(authority, authority.sign("another.example"))) as sender:
            sender.send(framed(booking(2)))
            assert sender.code() == "AR"
    assert len(world.messages) == 1


@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_a_client_without_a_certificate_of_the_authority_gets_no_connection(
    world: World, authority: Authority, tmp_path: Path, who: str
) -> None:
    shown = Authority(tmp_path, "stranger").sign("engine.example") if who == "a stranger" else None
    with (
        listening(tls.context(settings_of(authority))) as running,
        suppress(OSError),
        running.sender(client(authority, shown)) as sender,
    ):
        sender.send(framed(booking(1)))
        assert sender.code() is None
    assert world.messages == []


def test_plain_text_is_no_way_in_where_tls_is_asked(world: World, authority: Authority) -> None:
    with listening(tls.context(settings_of(authority))) as running, running.sender() as sender:
        sender.send(framed(booking(1)))
        with suppress(ConnectionError):
            assert b"MSA" not in sender.connection.recv(65536)
    assert world.messages == []


def test_files_that_cannot_be_used_are_said_by_the_setting(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        tls.context(settings_of(authority, WARMTHREAD_MLLP_CERT=str(tmp_path / "none.pem")))
    assert "WARMTHREAD_MLLP_CERT" in refused.value.problems[0]
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(SettingsError) as refused:
        tls.context(settings_of(authority, WARMTHREAD_MLLP_CLIENT_CA=str(tmp_path / "empty.pem")))
    assert "WARMTHREAD_MLLP_CLIENT_CA" in refused.value.problems[0]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"WARMTHREAD_MLLP_CERT": ""}, "WARMTHREAD_MLLP_CERT"),
        ({"WARMTHREAD_MLLP_CLIENT_CA": ""}, "WARMTHREAD_MLLP_CLIENT_CA"),
        ({"WARMTHREAD_MLLP_BIND": "here"}, "WARMTHREAD_MLLP_BIND"),
        ({"WARMTHREAD_MLLP_PORT": "0"}, "WARMTHREAD_MLLP_PORT"),
    ],
)
def test_half_a_configuration_is_refused(authority: Authority, changed: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of(authority, **changed)
    assert named in refused.value.problems[0]


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.0.2.7"])
def test_a_plain_port_that_others_could_reach_is_refused_at_the_start(bind: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(GOOD | {"WARMTHREAD_MLLP_PORT": "2575", "WARMTHREAD_MLLP_BIND": bind})
    assert "no plain text" in refused.value.problems[0]
    assert load(GOOD | {"WARMTHREAD_MLLP_PORT": "2575"}).mllp_bind == "127.0.0.1"

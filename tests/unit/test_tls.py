"""Chains of certificates as the checks judge them, with keys of today's servers and of 2007's."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from rig.drivers.tls.client import TlsError, verify
from rig.parts.hosts.tls_server import Of2007

SERVER = IPv4Address("129.42.160.48")
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path) -> Path:
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return folder / "ca.pem"


def issue(name: str, by: Issued | None = None, *, ca: bool | None = None, days: int = 30) -> Issued:
    """A certificate with a key of 1024 bits. ``ca`` None: without basic constraints, as a leaf is."""
    key = rsa.generate_private_key(65537, 1024)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 60 * DAY)
        .not_valid_after(NOW + days * DAY)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(SERVER)]), critical=False)
    return Issued(builder.sign(by.key if by else key, hashes.SHA256()), key)


@pytest.fixture
def authority() -> Issued:
    return issue("authority", ca=True)


def test_a_leaf_of_the_authority_is_accepted(authority: Issued, tmp_path: Path) -> None:
    verify([issue("server", authority).der], authority.write(tmp_path), SERVER)


def test_a_leaf_by_way_of_an_intermediate_is_accepted(authority: Issued, tmp_path: Path) -> None:
    between = issue("between", authority, ca=True)
    verify([issue("server", between).der, between.der], authority.write(tmp_path), SERVER)


@pytest.mark.parametrize("ca", [None, False], ids=["no basic constraints", "CA:FALSE"])
def test_a_leaf_that_another_leaf_has_signed_is_refused(authority: Issued, tmp_path: Path, ca: bool | None) -> None:
    """Catches whoever has a certificate of the authority's making one for any server."""
    other = issue("other", authority, ca=ca)
    with pytest.raises(TlsError, match="not accepted"):
        verify([issue("server", other).der, other.der], authority.write(tmp_path), SERVER)


def test_one_that_is_over_and_one_of_another_authority_are_refused(authority: Issued, tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="expired"):
        verify([issue("server", authority, days=-2).der], authority.write(tmp_path), SERVER)
    with pytest.raises(TlsError, match="not accepted"):
        verify([issue("server", issue("somebody", ca=True)).der], authority.write(tmp_path), SERVER)


def test_one_for_another_address_is_refused(authority: Issued, tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="not for 192"):
        verify([issue("server", authority).der], authority.write(tmp_path), IPv4Address("192.0.2.1"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TLS 1.0 is what this is about
def test_the_servers_of_2007_speak_no_tls_of_later(tmp_path: Path) -> None:
    """Catches a client that lists its versions, as those with TLS 1.3 do, and is answered beyond the paper's."""
    addresses = (IPv4Address("127.0.0.2"), IPv4Address("127.0.0.3"))  # RC4, which OpenSSL lacks, and AES
    speaker = Of2007(addresses, tmp_path / "ca.pem")
    with socket.create_server(("127.0.0.3", 0)) as listener:

        def serve() -> None:
            plain, _ = listener.accept()
            with speaker.secured(plain):
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("AES256-SHA:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        with context.wrap_socket(socket.create_connection(listener.getsockname())) as client:
            assert client.version() == "TLSv1"
        thread.join()

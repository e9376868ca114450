"""TLS from our side: opened by OpenSSL, or by tlslite-ng where OpenSSL refuses; what was agreed, and with whom.

A policy (hw-config/tls) says what is acceptable. What is never acceptable to either is a chain that the given
authority has not signed, or that is not for the address that was called.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from rig.drivers.tls.policy import TLSLITE_CIPHERS, TLSLITE_VERSIONS, Policy, cipher_of


class TlsError(OSError):
    """No TLS came about; the message says why."""


@dataclass(frozen=True)
class Certificate:
    """One of a chain. ``key``: RSA, EC or another; ``bits`` of it."""

    subject: str
    issuer: str
    key: str
    bits: int
    not_after: str


@dataclass(frozen=True)
class Agreed:
    """What a handshake came to; ``chain`` begins with the server's own certificate."""

    version: str
    suite: str
    chain: tuple[Certificate, ...]

    def __str__(self) -> str:
        own = self.chain[0]
        chain = " < ".join([own.subject, *(certificate.issuer for certificate in self.chain)])
        return f"{self.version}, {self.suite}, {own.key} {own.bits}, {chain}"

    def unacceptable(self, policy: Policy) -> list[str]:
        """What of it a policy does not accept."""
        own, found = self.chain[0], []
        if self.version not in policy.versions:
            found.append(f"{self.version} is not one of {', '.join(policy.versions)}")
        if cipher_of(self.suite) not in policy.ciphers:
            found.append(f"{self.suite} is not one of {', '.join(policy.ciphers)}")
        if own.key not in policy.keys:
            found.append(f"an {own.key} key is not one of {', '.join(policy.keys)}")
        elif own.bits < policy.keys[own.key]:
            found.append(f"{own.key} {own.bits} is less than {policy.keys[own.key]} bits")
        return found


def secure(plain: socket.socket, policy: Policy, authority: Path, server: IPv4Address) -> tuple[Any, Agreed]:
    """Speak TLS over a connection: a socket that encrypts, and what was agreed.

    ``authority``: a PEM file of whom the chain must be signed by. Raises TlsError, or OSError as the socket does.
    """
    speak = _SPEAKERS[policy.spoken_by]
    return speak(plain, policy, authority, server)


def _by_openssl(plain: socket.socket, policy: Policy, authority: Path, server: IPv4Address) -> tuple[Any, Agreed]:
    context = ssl.create_default_context(cafile=authority)
    try:
        secured = context.wrap_socket(plain, server_hostname=str(server))
    except ssl.SSLError as error:
        raise TlsError(f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}") from error
    # Python 3.13 has it as a method of the socket itself.
    chain = [certificate.public_bytes(ssl._ssl.ENCODING_DER) for certificate in secured._sslobj.get_unverified_chain()]  # type: ignore[attr-defined]
    cipher, version = secured.cipher(), secured.version()
    assert cipher is not None
    assert version is not None
    return secured, Agreed(_spaced(version), cipher[0], tuple(map(_certificate, chain)))


def _by_tlslite(plain: socket.socket, policy: Policy, authority: Path, server: IPv4Address) -> tuple[Any, Agreed]:
    # Imported here: it takes half a second in the lab, and the other policy has no use for it.
    from tlslite.api import HandshakeSettings, TLSConnection
    from tlslite.constants import CipherSuite
    from tlslite.errors import TLSError

    settings = HandshakeSettings()
    settings.minVersion, settings.maxVersion = (TLSLITE_VERSIONS[policy.versions[at]] for at in (0, -1))
    settings.cipherNames = [name for cipher in policy.ciphers for name in TLSLITE_CIPHERS[cipher]]
    settings.minKeySize = min(policy.keys.values())
    connection = TLSConnection(plain)
    try:
        connection.handshakeClientCert(settings=settings)
    except TLSError as error:
        raise TlsError(f"TLS: {error}") from error
    chain = [bytes(certificate.bytes) for certificate in connection.session.serverCertChain.x509List]
    verify(chain, authority, server)
    suite = CipherSuite.ietfNames[connection.session.cipherSuite]
    return Stream(connection), Agreed(_spaced(connection.getVersionName()), suite, tuple(map(_certificate, chain)))


class Stream:
    """tlslite-ng's connection as http.client and socketserver take a socket.

    Its own files give back less than was asked for where a record ends: TLS 1.0 sends a first record of one byte.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.sendall = connection.sendall
        self.close = connection.close
        self.getsockname = connection.getsockname
        self.settimeout = connection.settimeout

    def makefile(self, mode: str, buffering: int = -1) -> io.BufferedReader:
        """The side that reads; writing is by :meth:`sendall`."""
        return io.BufferedReader(_Reading(self._connection))


class _Reading(io.RawIOBase):
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._connection.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)


_SPEAKERS: dict[str, Callable[[socket.socket, Policy, Path, IPv4Address], tuple[Any, Agreed]]] = {
    "openssl": _by_openssl,
    "tlslite-ng": _by_tlslite,
}


def verify(chain: list[bytes], authority: Path, server: IPv4Address) -> None:
    """Whether a chain is the authority's, for this address, and valid today. Raises TlsError.

    The chain is OpenSSL's to verify (RFC 5280 §6: who may sign for whom, dates, constraints). cryptography's own
    verifier takes no key of 1024 bits, which is what the paper's servers have.
    """
    from OpenSSL import crypto  # a run with today's policy has no use for it

    own, *others = [x509.load_der_x509_certificate(der) for der in chain]
    try:
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise TlsError("TLS: the certificate names no address") from None
    if server not in names.get_values_for_type(x509.IPAddress):
        raise TlsError(f"TLS: the certificate is not for {server}")
    store = crypto.X509Store()
    for anchor in x509.load_pem_x509_certificates(authority.read_bytes()):
        store.add_cert(crypto.X509.from_cryptography(anchor))
    between = [crypto.X509.from_cryptography(certificate) for certificate in others]
    try:
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(own), between).verify_certificate()
    except crypto.X509StoreContextError as error:
        raise TlsError(f"TLS: the certificate is not accepted: {error}") from error


def _spaced(version: str) -> str:
    """ "TLSv1.2" and "TLS 1.2" as the policies write it; OpenSSL calls 1.0 "TLSv1"."""
    number = version.replace("TLSv", "").replace("TLS ", "")
    return f"TLS {number if '.' in number else number + '.0'}"


def _certificate(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        key, bits = "RSA", public.key_size
    elif isinstance(public, ec.EllipticCurvePublicKey):
        key, bits = "EC", public.key_size
    elif isinstance(public, ed25519.Ed25519PublicKey):
        key, bits = "Ed25519", 256
    else:
        key, bits = type(public).__name__, 0
    return Certificate(
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        key,
        bits,
        certificate.not_valid_after_utc.date().isoformat(),
    )

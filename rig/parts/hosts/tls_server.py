"""The service hosts' side of TLS: as servers of today speak it, or as the paper's did (§3.2).

Certificates are made anew in each run. trustme makes those of today; it has no keys of 1024 bits.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Protocol

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rig.drivers.tls.client import Stream
from rig.drivers.tls.issuing import issued, named

BITS_OF_2007 = 1024
LIFETIME_OF_2007 = timedelta(hours=1), timedelta(days=1)


class Speaker(Protocol):
    """Speaks TLS for some addresses. Its authority's certificate goes into a file that callers trust."""

    def secured(self, plain: socket.socket) -> contextlib.AbstractContextManager[Any]:
        """The connection, encrypted; whatever a handshake raises. KeyError for an address that is not its own."""
        ...


class Today:
    """OpenSSL with Python's defaults."""

    def __init__(self, addresses: tuple[IPv4Address, ...], authority_file: Path) -> None:
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(authority_file)
        self._addresses = {str(address) for address in addresses}
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._making = threading.Lock()

    def _context(self, address: str) -> ssl.SSLContext:
        """Made when an address is first asked for: a key and its certificate take a tenth of a second in the lab, and a
        call home speaks with few of them."""
        if address not in self._addresses:
            raise KeyError(address)
        with self._making:
            if address not in self._contexts:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                self._authority.issue_cert(address).configure_cert(context)
                self._contexts[address] = context
            return self._contexts[address]

    @contextlib.contextmanager
    def secured(self, plain: socket.socket) -> Iterator[Any]:
        with self._context(plain.getsockname()[0]).wrap_socket(plain, server_side=True) as connection:
            yield connection


class Of2007:
    """TLS 1.0 with keys of 1024 bits; no OpenSSL of today speaks that, tlslite-ng does.

    "They negotiate the bulk encryption depending on the IBM server": every second one RC4, the others AES.
    """

    def __init__(self, addresses: tuple[IPv4Address, ...], authority_file: Path) -> None:
        self._authority_key, self._authority = _made("rig's authority of 2007", None, None)
        authority_file.write_bytes(self._authority.public_bytes(serialization.Encoding.PEM))
        self._certified = {
            str(address): (*self._certify(address), cipher)
            for address, cipher in zip(addresses, itertools.cycle(("rc4", "aes256")), strict=False)
        }

    def _certify(self, address: IPv4Address) -> tuple[Any, Any]:
        from tlslite.api import X509CertChain, parsePEMKey

        key, certificate = _made(str(address), self._authority_key, self._authority, address)
        chain = X509CertChain()
        chain.parsePemList(certificate.public_bytes(serialization.Encoding.PEM).decode())
        written = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        return chain, parsePEMKey(written.decode(), private=True)

    @contextlib.contextmanager
    def secured(self, plain: socket.socket) -> Iterator[Any]:
        from tlslite.api import HandshakeSettings, TLSConnection

        chain, key, cipher = self._certified[plain.getsockname()[0]]
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 1)
        settings.versions = [(3, 1)]  # by which alone a client's list of versions is answered (RFC 8446 §4.2.1)
        settings.keyExchangeNames = ["rsa"]
        settings.cipherNames = [cipher]
        settings.minKeySize = BITS_OF_2007 - 1
        connection = TLSConnection(plain)
        connection.handshakeServer(certChain=chain, privateKey=key, settings=settings)
        try:
            yield Stream(connection)
        finally:
            connection.close()


SPEAKERS: dict[str, type[Today] | type[Of2007]] = {"today": Today, "paper-2007": Of2007}
"""By the name of the policy that they keep to."""


def _made(
    name: str,
    signing_key: rsa.RSAPrivateKey | None,
    signer: x509.Certificate | None,
    address: IPv4Address | None = None,
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A key of 1024 bits and its certificate: for an address, or signed by itself."""
    key = rsa.generate_private_key(65537, BITS_OF_2007)
    subject, issuer = named(name), signer.subject if signer else named(name)
    own = signer is None
    made = issued(
        subject, key.public_key(), issuer, signing_key or key, authority=own, lifetime=LIFETIME_OF_2007, address=address
    )
    return key, made

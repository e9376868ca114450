"""Whom a console takes for one of its own: who shares the customer's secret. An authority is derived from it, the same
for all of them, and each console has a certificate of that; both ends of a conversation verify the other's."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rig.drivers.tls.issuing import issued, named

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of SECP256R1's points (SEC 2 §2.4.2): a private key is below it."""
LIFETIME = timedelta(days=1), timedelta(days=30)
"""Of a certificate, before now and after."""
EPHEMERAL = "ECDHE:DHE:!aNULL:!SHA1"
"""Suites of TLS 1.2 whose keys are agreed on anew each time; those of TLS 1.3 all are."""


@dataclass(frozen=True)
class Identity:
    """``fingerprint``: SHA-256 of its certificate, as it is announced; ``file``: with the certificate and its key;
    ``authority``: a file with that of the customer's consoles."""

    id: str
    fingerprint: str
    file: Path
    authority: Path

    @classmethod
    def made(cls, number: str, secret: bytes, folder: Path) -> Identity:
        """A new one, in files that their owner alone may read."""
        drawn = int.from_bytes(hmac.digest(secret, b"authority of the consoles", hashlib.sha512), "big")
        above = ec.derive_private_key(1 + drawn % (ORDER - 1), CURVE)
        issuer = named("the customer's consoles")
        authority = issued(issuer, above.public_key(), issuer, above, authority=True, lifetime=LIFETIME)
        key = ec.generate_private_key(CURVE)
        own = issued(named(number), key.public_key(), issuer, above, authority=False, lifetime=LIFETIME)
        written = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files = folder / f"console-{number}.pem", folder / f"consoles-{number}.pem"
        for file, data in zip(files, (written + _pem(own), _pem(authority)), strict=True):
            file.touch(mode=0o600)
            file.write_bytes(data)
        return cls(number, own.fingerprint(hashes.SHA256()).hex(), *files)

    def context(self, *, server: bool) -> ssl.SSLContext:
        """For either end of a conversation. Who is at the other is known by their certificate, and by no name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(EPHEMERAL)
        context.load_cert_chain(self.file)
        context.load_verify_locations(self.authority)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)

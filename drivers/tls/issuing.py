"""Certificates of a run's own, by keys and for lifetimes that trustme has none of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def issued(
    subject: x509.Name,
    key: CertificatePublicKeyTypes,
    issuer: x509.Name,
    signing: CertificateIssuerPrivateKeyTypes,
    *,
    authority: bool,
    lifetime: tuple[timedelta, timedelta],
    address: IPv4Address | None = None,
) -> x509.Certificate:
    """One for a key, signed by another, or by itself. ``lifetime``: how long before now, and after it, it is good;
    ``address``: whose it is."""
    now, (before, after) = datetime.now(UTC), lifetime
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - before)
        .not_valid_after(now + after)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if address is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
    return builder.sign(signing, hashes.SHA256())

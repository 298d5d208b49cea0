"""Certificates for tests of TLS: an authority of our own, and what it signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key. ``both`` is one file with the key first, as Kafka reads it and our settings may."""

    cert: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates, with its own in ``cert``."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.cert = folder / f"{name}.pem"
        builder = _builder(self._name, self._name, self._key.public_key(), days=30)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.cert.write_bytes(builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def issue(self, name: str, *, days: int = 30, host: str = HOST, password: str = "") -> Issued:
        """A certificate for ``host``, valid from yesterday on or, with ``days`` below zero, until so long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), self._name, key.public_key(), days=days)
        found = x509.IPAddress(ip_address(host)) if host == HOST else x509.DNSName(host)
        signed = builder.add_extension(x509.SubjectAlternativeName([found]), critical=False).sign(self._key, SHA256())
        locked: KeySerializationEncryption = NoEncryption()
        if password:
            locked = BestAvailableEncryption(password.encode())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
        public = signed.public_bytes(Encoding.PEM)
        return Issued(
            self._write(f"{name}.cert.pem", [public]),
            self._write(f"{name}.key.pem", [private]),
            self._write(f"{name}.both.pem", [private, public]),
        )

    def _write(self, name: str, parts: Sequence[bytes]) -> Path:
        path = self._folder / name
        path.write_bytes(b"".join(parts))
        return path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + days * DAY) - DAY)
        .not_valid_after(now + days * DAY)
    )

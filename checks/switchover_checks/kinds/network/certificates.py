"""What certificates say: names, issuer, times. Told apart: expired, not yet valid, of another name, self-signed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

__all__ = ["CertificateFacts", "certificate_facts", "names_fit"]


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate: whom it names, who signed it, from when until when (UTC) it holds."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    self_signed: bool

    def days_left(self, now: datetime) -> float:
        """Return the days until it ends; negative once it has."""
        return (self.ends - now).total_seconds() / 86_400


def certificate_facts(der: bytes) -> CertificateFacts:
    """Read a certificate. Raise `ValueError` where it is none."""
    from cryptography import x509

    found = x509.load_der_x509_certificate(der)
    try:
        given = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*given.get_values_for_type(x509.DNSName), *map(str, given.get_values_for_type(x509.IPAddress))]
    except x509.ExtensionNotFound:
        names = []
    begins, ends = _times(found)
    return CertificateFacts(
        _short(found.subject), _short(found.issuer), tuple(names), begins, ends, found.subject == found.issuer
    )


def _times(found: Certificate) -> tuple[datetime, datetime]:
    return found.not_valid_before_utc, found.not_valid_after_utc


def _short(name: Name) -> str:
    """Return the common name, else all of it."""
    from cryptography.x509.oid import NameOID

    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def names_fit(host: str, names: Sequence[str]) -> bool:
    """Tell whether one of a certificate's names stands for `host`; `*.` stands for one label, an address for itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None:
        return str(address) in names
    asked = host.rstrip(".").lower()
    first, _, rest = asked.partition(".")
    wildcard = f"*.{rest}" if first and rest else None
    return any(name.rstrip(".").lower() in (asked, wildcard) for name in names)


def now_utc() -> datetime:
    """Return the time of now."""
    return datetime.now(UTC)

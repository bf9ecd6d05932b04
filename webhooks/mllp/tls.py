"""TLS of the MLLP port: our certificate, and the authorities whose clients may send."""

import ssl
from collections.abc import Mapping
from typing import Any

from config.settings import Settings, SettingsError


def context(settings: Settings) -> ssl.SSLContext | None:
    """Return what the port speaks TLS with, None where it speaks plainly to this machine alone. Raises SettingsError
    where the files cannot be used."""
    if settings.mllp_cert is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_cert_chain(settings.mllp_cert, settings.mllp_key, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise SettingsError([f"WARMTHREAD_MLLP_CERT and _KEY cannot be used: {_reason(error)}"]) from None
    try:
        made.load_verify_locations(settings.mllp_client_ca)
    except (OSError, ValueError) as error:
        raise SettingsError([f"WARMTHREAD_MLLP_CLIENT_CA cannot be used: {_reason(error)}"]) from None
    return made


def _reason(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__)


def names(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """Return by which names a client's certificate is known: its subject's common name and its DNS names."""
    told = certificate or {}
    common = (value for parts in told.get("subject", ()) for key, value in parts if key == "commonName")
    return frozenset([*common, *(value for kind, value in told.get("subjectAltName", ()) if kind == "DNS")])

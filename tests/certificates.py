"""Certificates of apps, as an operator makes them with openssl: two files, the key's for its owner alone."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from fieldcamp.sandbox import id_token


def make_certificate(
    folder: Path, name: str = "app", *, key: int = 2_000, begins: float = -1, days: float = 365
) -> dict[str, str]:
    """Writes a certificate that is good from `begins` days from now on, for so many days; where both files are, as the
    settings have it. The same number is the same key."""
    private = id_token.loaded(id_token.pem_of_number(key))
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"FieldCamp {name}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begins))
        .not_valid_after(now + dt.timedelta(days=begins + days))
        .sign(private, hashes.SHA256())
    )
    files = {"file": folder / f"{name}.pem", "key_file": folder / f"{name}.key"}
    files["file"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files["key_file"].touch(mode=0o600)
    files["key_file"].write_text(id_token.pem_of_number(key))
    return {which: str(file) for which, file in files.items()}

"""The certificate with which our app signs in at a vendor, instead of a secret that both sides know.

An assertion is signed with its key: https://www.rfc-editor.org/rfc/rfc7523#section-2.2, and as Microsoft wants it
https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials
"""

import datetime as dt
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured

from fieldcamp.env import read_private

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHM = "PS256"
# Microsoft: 5-10 minutes at most. As long before now, since clocks differ.
LIFETIME, EARLIER = dt.timedelta(minutes=5), dt.timedelta(minutes=1)
SHORTEST_KEY = 2048  # bits


@dataclass(frozen=True)
class AppCertificate:
    """A certificate and its key. `thumbprint` is the SHA-256 of its DER form, as a token's header has it."""

    thumbprint: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    _key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def load(cls, file: str, key_file: str) -> "AppCertificate":
        """Reads both from PEM files, anew where a file has changed. ImproperlyConfigured for what is none, for a key
        that is another certificate's, and for one that others on this machine can read."""
        if not (file and key_file):
            raise ImproperlyConfigured("A certificate takes two files: its own, and that of its key.")
        read_private(key_file)  # each time: what is open now was perhaps closed before
        try:
            changed = tuple(Path(name).stat().st_mtime_ns for name in (file, key_file))
            return _load(file, key_file, changed)
        except OSError as error:
            raise ImproperlyConfigured(f"{file} cannot be read: {type(error).__name__}.") from None

    def assertion(self, client_id: str, audience: str, now: dt.datetime) -> str:
        """Returns a token, good for a few minutes, with which the app `client_id` names itself at `audience`, the
        address that it is sent to."""
        claims = {
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid.uuid4()),
            "nbf": now - EARLIER,
            "iat": now,
            "exp": now + LIFETIME,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"x5t#S256": self.thumbprint})


@lru_cache(maxsize=4)
def _load(file: str, key_file: str, _changed: tuple[int, ...]) -> AppCertificate:
    try:
        certificate = x509.load_pem_x509_certificate(Path(file).read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        raise ImproperlyConfigured(f"{file} holds no certificate in PEM form.") from None
    try:
        key = load_pem_private_key(read_private(key_file).encode(), password=None)
    except TypeError:
        raise ImproperlyConfigured(
            f"The key in {key_file} is encrypted: nobody is there to type its password."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ImproperlyConfigured(f"{key_file} holds no private key in PEM form.") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < SHORTEST_KEY:
        raise ImproperlyConfigured(f"The key in {key_file} has to be an RSA key of {SHORTEST_KEY} bits or more.")
    try:
        belongs = certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        belongs = False
    if not belongs:
        raise ImproperlyConfigured(f"The key in {key_file} is not that of the certificate in {file}.")
    thumbprint = urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    return AppCertificate(thumbprint, certificate.not_valid_before_utc, certificate.not_valid_after_utc, key)

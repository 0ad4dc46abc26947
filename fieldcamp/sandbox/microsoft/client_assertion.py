"""Apps that name themselves with a certificate: which ones the portal knows, and what an assertion has to be.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.jws import Signed, base64
from fieldcamp.sandbox.state import State

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = 300  # seconds

SCHEMA = """
CREATE TABLE IF NOT EXISTS m_certificates (
    client_id TEXT, sha256 TEXT, sha1 TEXT, pem TEXT, PRIMARY KEY (client_id, sha256)) WITHOUT ROWID;
"""


class Refused(Exception):
    """An assertion that does not let the app in: AADSTS number and sentence."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number, self.text = number, text


class Certificates:
    """What is uploaded under *Certificates & secrets*: any number for each app, so that they may overlap."""

    def __init__(self, state: State) -> None:
        state.install(SCHEMA)
        self.state = state

    def upload(self, client_id: str, pem: str, registered: bool) -> str:
        """Registers a certificate for an app, or takes it away; its SHA-256 thumbprint. BadInput for what is none."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            raise BadInput("certificate is no certificate in PEM form.") from None
        if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
            raise BadInput("The certificate's key is no RSA key.")
        sha256 = base64(certificate.fingerprint(hashes.SHA256()))
        der = certificate.public_bytes(serialization.Encoding.DER)
        sha1 = base64(hashlib.sha1(der, usedforsecurity=False).digest())
        if registered:
            row = (client_id, sha256, sha1, pem)
            self.state.execute("INSERT OR REPLACE INTO m_certificates VALUES (?, ?, ?, ?)", *row)
        else:
            self.state.execute("DELETE FROM m_certificates WHERE client_id = ? AND sha256 = ?", client_id, sha256)
        return sha256

    def check(self, client_id: str, kind: str, assertion: str, audience: str) -> None:
        """Raises `Refused` unless the assertion is the app's, for this endpoint, and for now."""
        if kind != TYPE:
            raise Refused(50027, f"The client_assertion_type '{kind[:80]}' is not supported.")
        token = Signed.parse(assertion)
        if token is None:
            raise Refused(50027, "JWT token is invalid or malformed.")
        certificate = self._certificate(client_id, token.header)
        claims = token.claims
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise Refused(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
        key = cast(rsa.RSAPublicKey, certificate.public_key())
        if not any(token.is_signed_by(key, algorithm) for algorithm in ("PS256", "RS256")):
            raise Refused(
                700027,
                "Client assertion contains an invalid signature. [Reason - The provided signature value did not match"
                " the expected signature value.]",
            )
        self._check_times(certificate, claims)
        audiences = claims.get("aud")
        if isinstance(audiences, list) and len(audiences) > 1:
            text = "Number of audience values in the provided client credential exceed maximum allowed."
            raise Refused(5002741, f"{text} {len(audiences)} audience values provided, maximum allowed is 1.")
        if audiences not in (audience, [audience]):
            text = "Client assertion audience claim does not match Realm issuer. Review the documentation at"
            raise Refused(
                700023, f"{text} https://docs.microsoft.com/azure/active-directory/develop/certificate-credentials."
            )

    def _certificate(self, client_id: str, header: dict[str, Any]) -> x509.Certificate:
        # Microsoft's own libraries write them with the padding that base64url may have.
        sha256, sha1 = (str(header.get(name, "")).rstrip("=") for name in ("x5t#S256", "x5t"))
        if not (sha256 or sha1):
            raise Refused(50027, "Invalid JWT token. No certificate thumbprint specified in token header.")
        row = self.state.one(
            "SELECT pem FROM m_certificates WHERE client_id = ? AND (sha256 = ? OR sha1 = ?)", client_id, sha256, sha1
        )
        if row is None:
            raise Refused(
                700027,
                "The certificate with identifier used to sign the client assertion is not registered on application."
                f" [Reason - The key was not found., Thumbprint of key used by client: '{(sha256 or sha1)[:64]}']",
            )
        return x509.load_pem_x509_certificate(row["pem"].encode())

    def _check_times(self, certificate: x509.Certificate, claims: dict[str, Any]) -> None:
        now = self.state.now()
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begins.timestamp() <= now < ends.timestamp():
            found = f"Found key 'Start={begins:%m/%d/%Y %H:%M:%S}, End={ends:%m/%d/%Y %H:%M:%S}'"
            text = f"Client assertion contains an invalid signature. [Reason - The key used is expired., {found}]"
            raise Refused(700027, text)
        first, last = claims.get("nbf", 0), claims.get("exp")
        in_time = isinstance(first, int | float) and isinstance(last, int | float) and first - SKEW <= now < last + SKEW
        if not in_time:
            text = "Client assertion is not within its valid time range."
            raise Refused(
                700024, f"{text} Current time: {datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.0000000Z}."
            )

"""Signed JSON in its compact form, and checking it: https://www.rfc-editor.org/rfc/rfc7515#section-7.1"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass(frozen=True)
class Signed:
    """A token, not yet checked."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> "Signed | None":
        """The parts of a token; None for what is none."""
        signed, _, signature = text.rpartition(".")
        try:
            header, claims = (json.loads(_bytes(part)) for part in signed.split("."))
            found = cls(header, claims, signed.encode("ascii"), _bytes(signature))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(header, dict) and isinstance(claims, dict) else None

    def is_signed_by(self, key: rsa.RSAPublicKey, algorithm: str) -> bool:
        """Whether it says so and it is true, with RS256 or PS256: https://www.rfc-editor.org/rfc/rfc7518#section-3.1"""
        if self.header.get("alg") != algorithm:
            return False
        try:
            key.verify(self.signature, self.signed, _padding(algorithm), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def sign(header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    """The claims as a token, signed as `alg` in the header says."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    signature = key.sign(signed.encode(), _padding(header["alg"]), hashes.SHA256())
    return f"{signed}.{base64(signature)}"


def encoded(data: dict[str, Any]) -> str:
    """JSON as a token has it."""
    return base64(json.dumps(data, separators=(",", ":")).encode())


def base64(raw: bytes) -> str:
    """Base64 as tokens and key sets have it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("That is no base64.") from error


def _padding(algorithm: str) -> Any:
    if algorithm == "PS256":
        return padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256().digest_size)
    return padding.PKCS1v15()

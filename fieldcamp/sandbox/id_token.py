"""ID tokens: a JWT signed with a key that lasts as long as the state does."""

import json
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any, cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from fieldcamp.sandbox.state import State

KEY_ID = "sandbox-1"


def issue(state: State, claims: dict[str, Any]) -> str:
    """The claims as a signed token."""
    head = _encoded({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"})
    signed = f"{head}.{_encoded(claims)}".encode()
    signature = _key(state).sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return f"{signed.decode()}.{_base64(signature)}"


def certificates(state: State) -> dict[str, Any]:
    """The public key as a JSON Web Key Set."""
    numbers = _key(state).public_key().public_numbers()
    n = _base64(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
    e = _base64(numbers.e.to_bytes(3, "big"))
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": n, "e": e}]}


def _key(state: State) -> rsa.RSAPrivateKey:
    with state.transaction():
        text = state.get("signing_key")
        if text is None:
            text = _new_pem()
            state.put("signing_key", text)
    return _loaded(text)


@lru_cache(maxsize=1)
def _new_pem() -> str:
    # Made once in a process: a test-suite starts hundreds of sandboxes, and a key takes a tenth of a second.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@lru_cache(maxsize=4)
def _loaded(pem: str) -> rsa.RSAPrivateKey:
    return cast(rsa.RSAPrivateKey, serialization.load_pem_private_key(pem.encode(), password=None))


def _encoded(data: dict[str, Any]) -> str:
    return _base64(json.dumps(data, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()

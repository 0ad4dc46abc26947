"""ID tokens and whatever else a vendor signs: a JWT, and a key that lasts as long as the state does."""

from functools import lru_cache
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fieldcamp.sandbox.jws import base64, sign
from fieldcamp.sandbox.state import State


def issue(state: State, claims: dict[str, Any], kind: str = "JWT") -> str:
    """The claims as a signed token; `kind` is what its header calls it."""
    return sign({"alg": "RS256", "kid": _key_id(state), "typ": kind}, claims, _key(state))


def certificates(state: State) -> dict[str, Any]:
    """The public key as a JSON Web Key Set."""
    numbers = _key(state).public_key().public_numbers()
    n = base64(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
    e = base64(numbers.e.to_bytes(3, "big"))
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _key_id(state), "n": n, "e": e}]}


def rotate(state: State) -> str:
    """Has everything signed with a new key from now on, and withdraws the one before; its id."""
    with state.transaction():
        number = int(state.get("signing_key_number") or 1) + 1
        state.put("signing_key_number", str(number))
        state.put("signing_key", pem_of_number(number))
    return _key_id(state)


@lru_cache(maxsize=4)
def pem_of_number(number: int) -> str:
    """A private key. Each is made once in a process: a test-suite starts hundreds of sandboxes, and a key takes a tenth
    of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _key_id(state: State) -> str:
    return f"sandbox-{state.get('signing_key_number') or 1}"


def _key(state: State) -> rsa.RSAPrivateKey:
    with state.transaction():
        text = state.get("signing_key")
        if text is None:
            text = pem_of_number(1)
            state.put("signing_key", text)
    return loaded(text)


@lru_cache(maxsize=4)
def loaded(pem: str) -> rsa.RSAPrivateKey:
    """The key of such a text."""
    return cast(rsa.RSAPrivateKey, serialization.load_pem_private_key(pem.encode(), password=None))

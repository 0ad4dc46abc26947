"""A passkey in software, as WebAuthn describes one: it makes a key pair, and signs challenges with it."""

import hashlib
import json
import os
import struct
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

PRESENT, ATTESTED = 0x01, 0x40  # flags of the authenticator data


class SoftwareAuthenticator:
    def __init__(self, origin: str, credential_id: bytes | None = None):
        self.origin, self.credential_id = origin, credential_id or os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> str:
        """What the browser answers to `navigator.credentials.create`, as JSON."""
        public = cbor.encode(ES256.from_cryptography_key(self.key.public_key()))
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + public
        data = self._data(ATTESTED) + attested
        client = self._client("webauthn.create", options["publicKey"]["challenge"])
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._answer(clientDataJSON=client, attestationObject=cbor.encode(statement))

    def get(self, options: dict[str, Any], challenge: bytes | None = None) -> str:
        """What the browser answers to `navigator.credentials.get`, as JSON."""
        data = self._data()
        wanted = websafe_encode(challenge) if challenge else options["publicKey"]["challenge"]
        client = self._client("webauthn.get", wanted)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, flags: int = 0) -> bytes:
        relying_party = hashlib.sha256(urlsplit(self.origin).hostname.encode()).digest()
        return relying_party + bytes([PRESENT | flags]) + struct.pack(">I", 1)

    def _client(self, kind: str, challenge: Any) -> bytes:
        text = challenge if isinstance(challenge, str) else websafe_encode(challenge)
        assert websafe_decode(text)
        return json.dumps({"type": kind, "challenge": text, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, **response: bytes) -> str:
        identity = websafe_encode(self.credential_id)
        parts = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps({"type": "public-key", "id": identity, "rawId": identity, "response": parts})

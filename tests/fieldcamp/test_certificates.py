"""A certificate is read with its key or not at all, shows nothing of the key, and says for a few minutes who we are."""

import base64
import datetime as dt
import json
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.core.exceptions import ImproperlyConfigured

from fieldcamp.certificates import AppCertificate
from fieldcamp.redaction import redacted
from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.jws import Signed
from tests.certificates import make_certificate

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
# secp112r1, which OpenSSL reads and cryptography does not.
ODD_CURVE = """-----BEGIN EC PRIVATE KEY-----
MD4CAQEEDpkre+uuTBpI9dvFbV/3oAcGBSuBBAAGoSADHgAEarXbj1+yGttdERE9
6zCqQP5KTIuq09RDdI86Xg==
-----END EC PRIVATE KEY-----
"""


def test_an_assertion_is_what_microsoft_asks_for(tmp_path):
    files = make_certificate(tmp_path)
    certificate = AppCertificate.load(**files)
    tokens = [Signed.parse(certificate.assertion("app", "https://login.example/token", NOW)) for _ in range(2)]
    der = x509.load_pem_x509_certificate(Path(files["file"]).read_bytes())
    thumbprint = base64.urlsafe_b64encode(der.fingerprint(hashes.SHA256())).decode().rstrip("=")
    for token in tokens:
        assert token.is_signed_by(der.public_key(), "PS256")
        assert token.header == {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}
        assert (token.claims["iss"], token.claims["sub"], token.claims["aud"]) == (
            "app", "app", "https://login.example/token",
        )  # fmt: skip
        assert token.claims["nbf"] < NOW.timestamp() < token.claims["exp"] <= NOW.timestamp() + 600
    assert tokens[0].claims["jti"] != tokens[1].claims["jti"]


def test_nothing_of_the_key_is_shown(tmp_path):
    certificate = AppCertificate.load(**make_certificate(tmp_path))
    assert "key" not in repr(certificate).lower() and "PRIVATE" not in repr(certificate)
    assertion = certificate.assertion("app", "https://login.example/token", NOW)
    shown = json.dumps(
        redacted({"client_assertion": assertion, "body": f"client_assertion={assertion}&x=1", "a": assertion})
    )
    assert not any(part in shown for part in assertion.split("."))
    assert redacted(id_token.pem_of_number(2_000)) == "[redacted]\n"


def test_new_files_are_used_without_a_restart(tmp_path):
    files = make_certificate(tmp_path)
    before = AppCertificate.load(**files)
    assert AppCertificate.load(**files) is before
    make_certificate(tmp_path, key=2_001)
    for file in files.values():
        os.utime(file, ns=(1, 1))
    assert AppCertificate.load(**files).thumbprint != before.thumbprint


def refusal(files: dict[str, str], **changes: str) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        AppCertificate.load(**files | changes)
    assert "PRIVATE KEY" not in str(refused.value)
    return str(refused.value)


@pytest.mark.slow
def test_what_is_no_certificate_with_its_key_is_refused(tmp_path):
    files, other = make_certificate(tmp_path), make_certificate(tmp_path, "other", key=2_001)
    assert "takes two files" in refusal(files, key_file="")
    assert "takes two files" in refusal(files, file="")
    assert "cannot be read: FileNotFoundError" in refusal(files, key_file=str(tmp_path / "nowhere"))
    assert "cannot be read: FileNotFoundError" in refusal(files, file=str(tmp_path / "nowhere"))
    assert "not that of the certificate" in refusal(files, key_file=other["key_file"])
    assert "no certificate in PEM form" in refusal(files, file=files["key_file"])
    closed = tmp_path / "closed"
    closed.touch(mode=0o600)
    closed.write_text(Path(files["file"]).read_text())
    assert "no private key in PEM form" in refusal(files, key_file=str(closed))
    key = id_token.loaded(id_token.pem_of_number(2_000))
    locked = serialization.BestAvailableEncryption(b"password")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    closed.write_bytes(pem)
    assert "encrypted" in refusal(files, key_file=str(closed))
    closed.write_text(ODD_CURVE)
    assert "no private key in PEM form" in refusal(files, key_file=str(closed))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    files = make_certificate(tmp_path)
    assert AppCertificate.load(**files)
    Path(files["key_file"]).chmod(mode)
    assert f"chmod 600 {files['key_file']}" in refusal(files)
    Path(files["key_file"]).chmod(0o400)
    assert AppCertificate.load(**files)

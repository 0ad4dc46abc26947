"""Grants, codes and tokens: the part of OAuth 2.0 that all vendors have in common."""

import hashlib
import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import Request
from fieldcamp.sandbox.state import State

CLIENT_SECRET = "sandbox-secret"  # noqa: S105  the one secret every client has here
ANY_CLIENT = "*"

SCHEMA = """
CREATE TABLE IF NOT EXISTS oauth_grants (
    n INTEGER PRIMARY KEY, vendor TEXT, account TEXT, client_id TEXT, scopes TEXT, UNIQUE (vendor, account, client_id));
CREATE TABLE IF NOT EXISTS oauth_codes (
    code TEXT PRIMARY KEY, vendor TEXT, grant_n INTEGER, details TEXT, expires_at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oauth_tokens (
    token TEXT PRIMARY KEY, vendor TEXT, kind TEXT, grant_n INTEGER, scopes TEXT, issued INTEGER, expires_at REAL)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS oauth_tokens_by_grant ON oauth_tokens (grant_n, kind, issued);
"""


@dataclass(frozen=True)
class Token:
    """A live access or refresh token and whose it is."""

    token: str
    account: str
    client_id: str
    scopes: tuple[str, ...]
    grant: int
    expires_at: float


class Grants:
    """What one vendor's users have allowed which clients."""

    def __init__(self, state: State, vendor: str) -> None:
        self.state, self.vendor = state, vendor
        state.install(SCHEMA)

    def find(self, account: str, client_id: str) -> tuple[int, set[str]] | None:
        """The grant's number and its scopes, when the user has allowed this client anything."""
        row = self.state.one(
            "SELECT n, scopes FROM oauth_grants WHERE vendor = ? AND account = ? AND client_id = ?",
            self.vendor,
            account,
            client_id,
        )
        return (row["n"], set(row["scopes"].split())) if row else None

    def allow(self, account: str, client_id: str, scopes: set[str]) -> tuple[int, bool]:
        """Adds the scopes to the user's grant for this client; its number and whether it is the first."""
        with self.state.transaction():
            known = self.find(account, client_id)
            if known is not None:
                text = " ".join(sorted(known[1] | scopes))
                self.state.execute("UPDATE oauth_grants SET scopes = ? WHERE n = ?", text, known[0])
                return known[0], False
            cursor = self.state.execute(
                "INSERT INTO oauth_grants (vendor, account, client_id, scopes) VALUES (?, ?, ?, ?)",
                self.vendor,
                account,
                client_id,
                " ".join(sorted(scopes)),
            )
            return int(cursor.lastrowid or 0), True

    def owner(self, grant: int) -> tuple[str, str]:
        """Whose grant it is: the account and the client."""
        row = self.state.the("SELECT account, client_id FROM oauth_grants WHERE n = ?", grant)
        return row["account"], row["client_id"]

    def of_account(self, account: str) -> list[dict[str, Any]]:
        """The clients that have access to the account."""
        rows = self.state.all(
            "SELECT n, client_id, scopes FROM oauth_grants WHERE vendor = ? AND account = ? ORDER BY n",
            self.vendor,
            account,
        )
        return [{"n": row["n"], "client_id": row["client_id"], "scopes": row["scopes"].split()} for row in rows]

    def remove(self, grant: int) -> None:
        """The grant, its codes and all its tokens are dead."""
        with self.state.transaction():
            self.state.execute("DELETE FROM oauth_tokens WHERE grant_n = ?", grant)
            self.state.execute("DELETE FROM oauth_codes WHERE grant_n = ?", grant)
            self.state.execute("DELETE FROM oauth_grants WHERE n = ?", grant)

    def issue_code(
        self, grant: int, details: dict[str, Any], seconds: float, prefix: str = "4/0", length: int = 67
    ) -> str:
        """A new authorization code of so many characters, that remembers what it was issued for."""
        code = _random(prefix, length)
        expires_at = self.state.now() + seconds
        self.state.execute(
            "INSERT INTO oauth_codes VALUES (?, ?, ?, ?, ?)", code, self.vendor, grant, json.dumps(details), expires_at
        )
        return code

    def spend_code(self, code: str) -> tuple[int, dict[str, Any]] | None:
        """What an unspent, unexpired code was issued for; spent from now on."""
        with self.state.transaction():
            row = self.state.one("SELECT * FROM oauth_codes WHERE code = ? AND vendor = ?", code, self.vendor)
            self.state.execute("DELETE FROM oauth_codes WHERE code = ?", code)
        if row is None or row["expires_at"] <= self.state.now():
            return None
        return row["grant_n"], json.loads(row["details"])

    def issue(
        self,
        kind: str,
        grant: int,
        scopes: set[str],
        prefix: str,
        seconds: float,
        keep: int = 10_000,
        length: int = 92,
    ) -> str:
        """A new token of kind "access" or "refresh", of so many characters; beyond `keep` live ones of the grant the
        oldest dies."""
        token = _random(prefix, length)
        now = self.state.now()
        with self.state.transaction():
            issued = self.state.the(
                "SELECT coalesce(max(issued), 0) + 1 AS n FROM oauth_tokens WHERE grant_n = ?", grant
            )
            self.state.execute("DELETE FROM oauth_tokens WHERE grant_n = ? AND expires_at < ?", grant, now - 86400)
            self.state.execute(
                "INSERT INTO oauth_tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
                token,
                self.vendor,
                kind,
                grant,
                " ".join(sorted(scopes)),
                issued["n"],
                now + seconds,
            )
            self.state.execute(
                "DELETE FROM oauth_tokens WHERE token IN (SELECT token FROM oauth_tokens WHERE grant_n = ? AND kind = ?"
                " ORDER BY issued DESC LIMIT -1 OFFSET ?)",
                grant,
                kind,
                keep,
            )
        return token

    def lookup(self, token: str, kind: str | None = None) -> Token | None:
        """A live token, of one kind or of any."""
        row = self.state.one(
            "SELECT t.*, g.account, g.client_id FROM oauth_tokens t JOIN oauth_grants g ON g.n = t.grant_n"
            " WHERE t.token = ? AND t.vendor = ?",
            token,
            self.vendor,
        )
        if row is None or kind not in (None, row["kind"]) or row["expires_at"] <= self.state.now():
            return None
        scopes = tuple(row["scopes"].split())
        return Token(token, row["account"], row["client_id"], scopes, row["grant_n"], row["expires_at"])

    def prolong(self, token: str, seconds: float) -> None:
        """Sets the token's end to so many seconds from now."""
        self.state.execute("UPDATE oauth_tokens SET expires_at = ? WHERE token = ?", self.state.now() + seconds, token)


def _random(prefix: str, length: int) -> str:
    return prefix + secrets.token_urlsafe(length)[: length - len(prefix)]


def client_credentials(request: Request, form: MultiDict) -> tuple[str, str]:
    """The client's id and secret, from the form or from HTTP Basic; ValueError when the header is malformed."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    name, _, password = b64decode(value, validate=True).decode().partition(":")
    return unquote_plus(name), unquote_plus(password)


def with_query(address: str, values: dict[str, str]) -> str:
    """The redirect address with the answer behind what it has of its own."""
    parts, answer = urlsplit(address), urlencode(values)
    return urlunsplit(parts._replace(query=f"{parts.query}&{answer}" if parts.query else answer))


def is_loopback(address: str) -> bool:
    """Whether a redirect address leads back to this machine and has nothing that redirect addresses may not have."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  raises on a port that is no number
    except ValueError:
        return False
    host_ok = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return parts.scheme in ("http", "https") and host_ok and not parts.fragment and "@" not in parts.netloc


def verifier_matches(challenge: str, method: str, verifier: str) -> bool:
    """Whether the code verifier is the one behind the challenge (RFC 7636)."""
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = urlsafe_b64encode(digest).rstrip(b"=").decode()
    return secrets.compare_digest(challenge.encode(), verifier.encode())

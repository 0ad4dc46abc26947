"""What the product keeps and shows: secrets in the database, in logs and pages, the audit trail, its packages."""

import re
from importlib import metadata

from django.conf import settings

from integrations.review.company import CANARY, CANARY_AMOUNT, CANARY_MAIL, CANARY_TITLE
from integrations.review.connecting import VendorSide, connected, disconnect, sync, the_connection
from integrations.review.probe import Probe
from integrations.review.seen import Unmet, expect

PINNED = re.compile(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)((?:[^\n]*\\\n)*[^\n]*)")


def tokens_of(probe: Probe, side: VendorSide) -> list[str]:
    """Returns the tokens that the product holds for this account, hidden from the evidence."""
    grants = probe.table("integrations.OAuthGrant").objects.filter(connection=the_connection(probe, side)["id"])
    found = [token for grant in grants for token in (grant.access_token, grant.refresh_token) if token]
    probe.witness.hide(*found)
    return found


def unreadable_at_rest(probe: Probe, side: VendorSide) -> str:
    """Dumps the database: no token, no id of the account at the vendor, no key that decrypts them."""
    connected(probe, side)
    tokens = tokens_of(probe, side)
    expect(tokens, "No token is held: nothing could be looked for.")
    account = probe.table("integrations.Connection").objects.get(pk=the_connection(probe, side)["id"]).account_id
    found = probe.holding(*tokens, *settings.TOKEN_ENCRYPTION_KEYS)
    expect(not found, f"A token or a key stands in {', '.join(sum(found.values(), []))}.")
    readable = probe.holding(account).get(account, [])
    expect(not readable, f"The account's id at the vendor stands as plain text in {', '.join(readable)}.")
    return "Neither tokens nor the account's id nor the keys that encrypt them are in the dump."


def tokens_at_rest(probe: Probe, side: VendorSide) -> str:
    """Dumps the database: no token, and no key that decrypts one."""
    connected(probe, side)
    tokens = tokens_of(probe, side)
    expect(tokens, "No token is held: nothing could be looked for.")
    found = probe.holding(*tokens, *settings.TOKEN_ENCRYPTION_KEYS)
    expect(not found, f"A token or a key stands in {', '.join(sum(found.values(), []))}.")
    code, _said = probe.command("rotate_tokens")
    expect(code == 0, "The keys cannot be rotated.")
    expect(tokens_of(probe, side) == tokens, "After a rotation the tokens are other ones.")
    return "Encrypted with keys that are not in the database; a rotation works."


def nothing_in_logs(probe: Probe, side: VendorSide) -> str:
    """Syncs, with a failing vendor too, and looks for credentials and customers' data in every log line."""
    connected(probe, side)
    for kind, extra in (("status", {"status": 500}), ("status", {"status": 400}), ("expire_token", {}), ("drop", {})):
        probe.vendor("POST", "faults", vendor=side.vendor, kind=kind, **extra)
        sync(probe, side)
    probe.vendor("DELETE", "faults")
    probe.ask("/admin/login/", "POST", data={"username": "reviewer", "password": "not-the-pass-phrase-7"})
    written = probe.log()
    expect(
        "job_id" in written or "provider_call" in written, "The log has no line of a sync: nothing could be looked for."
    )
    words = [CANARY, CANARY_MAIL, str(CANARY_AMOUNT), CANARY_TITLE, "not-the-pass-phrase-7", *probe.company.tokens,
             *tokens_of(probe, side), settings.SECRET_KEY, settings.API_KEY_PEPPER]  # fmt: skip
    found = [number for number, word in enumerate(words, start=1) if word.lower() in written.lower()]
    expect(not found, f"{len(found)} of {len(words)} secrets and words of customers are in the log.")
    return f"{len(written.splitlines())} lines; none of {len(words)} secrets and words of customers is in them."


def nothing_shown(probe: Probe, side: VendorSide) -> str:
    """Looks for tokens and the app's secret in pages, the API, the audit trail and the metrics."""
    connected(probe, side)
    account = the_connection(probe, side)["id"]
    job = probe.caller("GET", f"/integrations/jobs?integration={side.slug.replace('-', '_')}")["jobs"][0]["job_id"]
    secrets = [*tokens_of(probe, side), *(app["secret"] for app in _apps()), settings.SECRET_KEY]
    answers = [
        probe.ask(path, by=probe.owner.session)
        for path in (
            "/admin/",
            f"/admin/integrations/connection/{account}/change/",
            "/admin/workspace/auditentry/",
            f"/admin/integrations/settings/{side.slug}/",
            "/admin/workspace/auditentry/export/",
            f"/admin/integrations/syncjob/{job}/change/",
            f"/admin/integrations/jobs/{job}/items.csv",
            "/admin/integrations/problem/",
        )  # fmt: skip
    ]
    answers += [probe.api(path) for path in (f"/integrations/{side.slug}/status", f"/integrations/jobs/{job}")]
    answers += [probe.ask("/metrics"), probe.ask("/")]
    for answer in answers:
        expect(answer.status_code in (200, 404), f"{answer.url} answered {answer.status_code}: it could not be read.")
        expect(not any(secret in answer.text for secret in secrets), f"{answer.url} shows a token or a secret.")
    expect(sum(answer.status_code == 200 for answer in answers) >= 8, "Too few pages could be read.")
    return f"{len(answers)} pages, tables and answers of the API show none of {len(secrets)} secrets."


def _apps() -> list[dict[str, str]]:
    found = [getattr(settings, name) for name in dir(settings) if name.endswith("_CLIENT")]
    return [app for app in found if isinstance(app, dict) and app.get("secret")]


def gone_after_disconnect(probe: Probe, side: VendorSide) -> str:
    """Disconnects: the tokens are gone from the database, and *erase* takes away what else is kept of the account."""
    connected(probe, side)
    account = the_connection(probe, side)["id"]
    tokens = tokens_of(probe, side)
    disconnect(probe, side)
    held = probe.table("integrations.OAuthGrant").objects.filter(connection=account)
    kept = [grant for grant in held if grant.access_token or grant.refresh_token or grant.answer]
    probe.witness.note("the grants of the account that was disconnected", f"{len(kept)} hold a token")
    expect(tokens and not kept, "Tokens are kept after disconnecting.")
    code, said = probe.command("erase", "connection", account, "--yes")
    expect(code == 0, f"Erasing the account ended with {code}: {said[:200]}")
    left = probe.holding(account).get(account, [])
    expect(set(left) <= _TRAIL, f"Rows of the erased account are left in {', '.join(sorted(set(left) - _TRAIL))}.")
    connected(probe, side)
    return f"No token is left after disconnecting; erasing leaves the account's id in {', '.join(left) or 'no table'}."


# Where an id may stay: that something was done is proof, and holds no word of anybody's.
_TRAIL = {"workspace_auditentry", "workspace_change", "django_admin_log", "django_session", "api_idempotencyrecord",
          "integrations_syncjob", "integrations_jobpart", "integrations_changerow", "django_q_task",
          "django_q_ormq"}  # fmt: skip


def audit_trail_holds(probe: Probe) -> str:
    """Checks the chain of the audit trail, changes one entry by hand, and has the check name it."""
    made = probe.api("/api-keys", "POST", json={"name": "For the trail", "scopes": ["visits:read"]})
    probe.leave_out()
    expect(made.status_code == 201, f"Making a key answered {made.status_code}.")
    code, said = probe.command("audit_check")
    expect(code == 0, f"The trail does not hold: {said[:200]}")
    entries = probe.table("workspace.AuditEntry").objects.filter(workspace=probe.company.id).exclude(digest="")
    entry = entries.order_by("pk").first()
    expect(entry, "The trail of the company is empty.")
    entries.filter(pk=entry.pk).update(actor="Somebody else")
    changed, said = probe.command("audit_check")
    entries.filter(pk=entry.pk).update(actor=entry.actor)
    expect(changed == 1 and f"entry {entry.pk}" in said, "An entry that was changed by hand is not found.")
    expect(probe.command("audit_check")[0] == 0, "The trail does not hold after the entry was put back.")
    kept = settings.CHANGE_RETENTION_DAYS
    expect(kept >= 365 or probe.ask("/privacy").text.count("365 days"), f"The trail is kept for {kept} days only.")
    return "The chain holds; an entry changed by hand is named; kept for a year."


def passwords_are_hashed(probe: Probe) -> str:
    """Tries a short password, and looks at how one is stored."""
    user = probe.table("auth.User").objects.get(username=probe.company.username)
    method, _, rest = user.password.partition("$")
    probe.witness.note("how the owner's password is stored", method, text="a salted, slow hash" if rest else "")
    expect(method in ("pbkdf2_sha256", "argon2", "scrypt", "bcrypt_sha256"), f"Passwords are stored by {method}.")
    expect(not probe.holding(probe.company.password), "The password stands in the database.")
    values = {"old_password": probe.company.password, "new_password1": "Sh0rt!7", "new_password2": "Sh0rt!7"}
    answer = probe.submit("/admin/password_change/", values)
    expect(answer.status_code != 302, "A password of seven characters is taken.")
    expect("too short" in answer.text or "at least" in answer.text, "A short password is refused without a reason.")
    return f"Stored by {method}; seven characters are refused."


def packages_as_pinned(probe: Probe) -> str:
    """Holds what is installed against the pinned versions: each at one version, and every file with its hash."""
    text = (settings.BASE_DIR / "requirements.txt").read_text()
    pins = {found[1]: (found[2], found[3]) for found in PINNED.finditer(text)}
    other, missing = [], []
    for name, (version, rest) in pins.items():
        expect("--hash=" in rest, f"{name} is pinned without a hash.")
        try:
            if metadata.version(name) != version:
                other.append(f"{name} {metadata.version(name)} instead of {version}")
        except metadata.PackageNotFoundError:
            missing += [] if ";" in rest else [name]  # what is for other machines only
    probe.witness.note("the packages that are installed, against requirements.txt", f"{len(pins)} pinned")
    expect(len(pins) > 20, "requirements.txt pins next to nothing.")
    if other or missing:
        raise Unmet(f"Not as pinned: {', '.join(other[:5])}{' missing: ' if missing else ''}{', '.join(missing[:5])}")
    return f"{len(pins)} packages are installed as pinned, each with hashes. What holes are known: scripts/audit."

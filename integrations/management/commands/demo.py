"""`manage.py demo`: the whole product on one machine with a sample company. Started by scripts/demo."""

import json
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connections

from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.secret import digest, is_wellformed
from fieldcamp.api.services import create_key
from fieldcamp.workspace.models import Member, Workspace
from integrations.demo import books, once, portal
from integrations.demo.accounts import ACCOUNTS, ONCE, where
from integrations.demo.browser import Browser, PageError
from integrations.demo.caller import Caller
from integrations.demo.children import Children, port_is_free, wait_for
from integrations.demo.company import make_admin, make_company, make_second_company
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS

ADMIN, SECOND_ADMIN = "demo", "demo2"
KEY_LIMIT = 1_000_000


class Command(BaseCommand):
    help = "Runs web, worker and sandbox with a sample company, until Ctrl-C."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do the main job once, compare both sides, and end")
        parser.add_argument("--reset", action="store_true", help="start anew instead of where the last run stopped")

    def handle(self, *args, once: bool, reset: bool, **options):
        port, sandbox_port = int(os.environ.get("PORT", 8000)), int(os.environ.get("SANDBOX_PORT", 8001))
        if not settings.SANDBOX_URL or f":{port}" not in settings.PUBLIC_URL:
            raise CommandError("Start it with scripts/demo: it sets SANDBOX_URL and PUBLIC_URL.")
        for taken in (wanted for wanted in (port, sandbox_port) if not port_is_free(wanted)):
            raise CommandError(f"Port {taken} is taken. Set PORT and SANDBOX_PORT to free ones.")
        sys.exit(Demo(port, sandbox_port, self.stdout.write).run(once, reset))


class Demo:
    def __init__(self, port: int, sandbox_port: int, say: once.Say):
        self.say = say
        self.file = settings.FIELDCAMP_DATA / "demo.json"
        self.stop = threading.Event()
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        gunicorn = [
            sys.executable,
            "-m",
            "gunicorn",
            "fieldcamp.wsgi",
            "--workers",
            "2",
            "--worker-class",
            "fieldcamp.serving.EnvelopeWorker",
            "--threads",
            "8",
            "--limit-request-line",
            "8190",
        ]
        self.children = Children(
            {
                "sandbox": [*manage, "sandbox", "--port", str(sandbox_port), "--push-http"],
                "web": [*gunicorn, "--bind", f"127.0.0.1:{port}"],
                "worker": [*manage, "worker"],
            },
            settings.FIELDCAMP_DATA / "logs",
        )
        self.facts: dict[str, Any] = {}

    def run(self, only_once: bool, reset: bool) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._interrupted())
        try:
            self._prepare(reset)
            self._start()
            if not self.facts["connected"]:
                self._connect(ACCOUNTS | ONCE if only_once else ACCOUNTS, strict=only_once)
                self.facts["connected"] = True
            return self._walk() if only_once else self._serve()
        except KeyboardInterrupt:
            return 0
        finally:
            self.say("Stopping …")
            self.children.end()

    def _interrupted(self) -> None:
        if self.stop.is_set():
            return
        self.stop.set()
        raise KeyboardInterrupt

    def _prepare(self, reset: bool) -> None:
        if reset:
            self.say("Starting anew …")
            _forget_everything(self.file)
        known = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.say("Preparing the database and the static files …")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        self.say("Loading the sample companies …")
        second_known = known.get("second_workspace", {})
        first = make_company(known=known.get("workspace", {}).get("id", ""))
        second = make_second_company(second_known.get("id", ""))
        self.facts = {
            "base_url": settings.PUBLIC_URL,
            "sandbox_url": settings.SANDBOX_URL,
            "admin": _admin(first, ADMIN, ("Olivia", "Hart"), known.get("admin")),
            "api_key": usable_key(first, known.get("api_key"), KEY_LIMIT),
            "workspace": {"id": first.pk, "name": first.name},
            "second_workspace": {
                "id": second.pk,
                "api_key": usable_key(second, second_known.get("api_key"), None),
                "admin": _admin(second, SECOND_ADMIN, ("Norman", "Reed"), second_known.get("admin")),
            },
            "webhook_verifier": portal.verifier(known.get("webhook_verifier"), os.environ),
            # What became of the accounts since is a visitor's business.
            "connected": bool(known.get("connected")) and known.get("workspace", {}).get("id") == first.pk,
        }
        connections.close_all()  # before processes are started that must not share them

    def _start(self) -> None:
        self.say("Starting sandbox, web and worker …")
        for name in self.children.commands:
            self.children.start(name)
        wait_for(f"{settings.SANDBOX_URL}/")
        control = Caller(f"{settings.SANDBOX_URL}/_control")
        portal.register(control, settings.PUBLIC_URL, self.facts["webhook_verifier"])
        wait_for(f"{settings.PUBLIC_URL}/healthz")

    @property
    def api(self) -> Caller:
        return Caller(f"{settings.PUBLIC_URL}/api/v1", self.facts["api_key"])

    def _connect(self, wanted: Mapping[str, Sequence[str]], *, strict: bool) -> None:
        """`strict`: it ends with an error where an account cannot be connected; else that is said."""
        browser = None
        for name, accounts in wanted.items():
            slug = PROVIDERS[name].slug
            for account in accounts:
                mine = Connection.objects.filter(workspace=self.facts["workspace"]["id"], integration=name)
                usable = mine.exclude(state__in=[ConnectionState.SETUP, ConnectionState.DISCONNECTED])
                if usable.filter(account_name=account).exists() or usable.for_account(name, account).exists():
                    continue
                if browser is None:
                    browser = Browser(settings.PUBLIC_URL)
                    browser.sign_in(self.facts["admin"]["username"], self.facts["admin"]["password"])
                self.say(f"Connecting {account} ({PROVIDERS[name].label}) …")
                try:
                    browser.connect(slug, account, self._member(account) if "@" in account else "")
                except (PageError, Member.DoesNotExist) as error:
                    if strict:
                        raise
                    self.say(f"{account} was not connected ({error}). Connect it at the desk.")
            status = self.api("GET", f"/integrations/{slug}/status")
            if status["connected"] and status["last_job"] is None and status["active_job_id"] is None:
                job = self.api.sync(slug)
                self.say(f"First sync of {PROVIDERS[name].label}: {job['status']}, {job['counts']['pushed']} pushed.")
        close_old_connections()

    def _member(self, account: str) -> str:
        """Returns whose account it is: the technician with the same first name."""
        name = account.partition("@")[0]
        return Member.objects.get(workspace=self.facts["workspace"]["id"], email__startswith=f"{name}@").pk

    def _serve(self) -> int:
        self._write()
        self.say(
            f"\nFieldCamp Integrations runs at {settings.PUBLIC_URL}/admin/\n"
            f"  sign in as  {self.facts['admin']['username']}  with  {self.facts['admin']['password']}\n"
            f"{where(settings.SANDBOX_URL)}"
            f"  API key, ids and process numbers: {self.file}\n"
            f"  logs: {settings.FIELDCAMP_DATA}/logs\nCtrl-C ends it; the next run goes on from here.\n"
        )
        self.children.look_after(self.stop, self._restarted)
        return 0

    def _restarted(self, name: str) -> None:
        self.say(f"{name} had died; it is running again.")
        self._write()

    def _write(self) -> None:
        """Writes demo.json, whole or not at all, readable by its owner only."""
        draft = self.file.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({**self.facts, "pids": self.children.pids}, file, indent=2)
        draft.replace(self.file)

    def _walk(self) -> int:
        jobs = []
        walks = [once.Walk(name, self.api, settings.SANDBOX_URL) for name in once.USERS]
        try:
            for walk in walks:
                self.say(f"\n{walk.provider.label}")
                jobs += reversed(self.api("GET", f"/integrations/jobs?integration={walk.provider.name}")["jobs"])
                jobs += walk.go(self.say)
            jobs += self._walk_books()
            self.say("\nSyncing all of them: what was edited in one calendar is in the others …")
            for walk in walks:
                jobs.append(walk.sync())
                walk.compare()
        except once.Disagreement as difference:
            self.say(f"\n{once.table(jobs)}\n\nThe two sides do NOT agree: {difference}")
            return 1
        self.say(f"\n{once.table(jobs)}\n\nBoth sides agree, record by record.")
        return 0

    def _walk_books(self) -> list[dict[str, Any]]:
        user = Member.objects.get(user__username=ADMIN, workspace=self.facts["workspace"]["id"]).user
        walk = books.BooksWalk(self.api, settings.SANDBOX_URL, user)
        self.say(f"\n{walk.provider.label}")
        first = self.api("GET", f"/integrations/jobs?integration={walk.provider.name}")["jobs"]
        return [*reversed(first), *walk.go(self.say)]


def _admin(workspace: Workspace, username: str, name: tuple[str, str], known: dict | None) -> dict[str, str]:
    password = (known or {}).get("password") or secrets.token_urlsafe(9)
    make_admin(workspace, username, password, *name)
    return {"username": username, "password": password}


def usable_key(workspace: Workspace, known: str | None, limit: int | None) -> str:
    """Returns the key of the last run while it may do everything, else a new one."""
    if known and is_wellformed(known):
        key = ApiKey.objects.filter(workspace=workspace, digest=digest(known), revoked_at=None, expires_at=None).first()
        if key and set(key.scopes) == set(SCOPES):
            return known
    return create_key(workspace=workspace, name="Demo", rate_limit_override=limit, created_by="demo")[1]


def _forget_everything(demo_file: Path) -> None:
    """Deletes the database, the sandbox's state, mails and logs of earlier runs. Made keys stay."""
    demo_file.unlink(missing_ok=True)
    for pattern in ("sandbox.state*", "fieldcamp.sqlite3*"):
        for path in settings.FIELDCAMP_DATA.glob(pattern):
            path.unlink()
    for folder in ("mail", "logs", "static"):
        shutil.rmtree(settings.FIELDCAMP_DATA / folder, ignore_errors=True)
    if settings.DATABASE_URL:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("flush", verbosity=0, interactive=False)

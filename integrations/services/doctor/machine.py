"""What this installation consists of: settings, database, queue, workers and mail."""

import datetime as dt
import smtplib
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.checks.registry import registry
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host
from django.utils import timezone
from redis.exceptions import RedisError

from fieldcamp.desk.templatetags.desk import span
from fieldcamp.links import is_loopback
from fieldcamp.workspace.audit_chain import check_all
from integrations.queue.ring import queue_broker
from integrations.selectors.dashboard import queue_health
from integrations.services.doctor.findings import Finding, Weight

LONGEST_WAIT = dt.timedelta(minutes=5)
SHORTEST_SECRET = 32  # characters
# What PUBLIC_URL decides (and is warned of by itself), or the proxy in front.
_SAID_ELSEWHERE = {f"security.W0{number}" for number in ("04", "08", "12", "16")}
_LEFT_OUT = {"drf_spectacular"}  # makes the whole reference of the API, which no setting spoils
_WRONG = {"security.W009", "security.W018", "security.W020"}  # a weak SECRET_KEY, DEBUG, no ALLOWED_HOSTS


def settings_checks() -> Iterator[Finding]:
    """Runs `manage.py check --deploy`, and looks at the secrets."""
    here = is_loopback(urlsplit(settings.PUBLIC_URL).hostname or "")
    tags = {*registry.tags_available(deployment_checks=True)} - _LEFT_OUT
    checks = run_checks(tags=sorted(tags), include_deployment_checks=True)
    found = [each for each in checks if each.id not in _SAID_ELSEWHERE and not each.is_silenced()]
    for message in found:
        wrong = message.level >= ERROR or (message.id in _WRONG and not here)
        text = f"{message.msg} ({message.id})"
        yield Finding(Weight.WRONG if wrong else Weight.NOTE, "Settings", text, message.hint or "")
    if len(settings.API_KEY_PEPPER) < SHORTEST_SECRET or settings.API_KEY_PEPPER == settings.SECRET_KEY:
        yield Finding(
            Weight.WRONG,
            "Settings",
            f"API_KEY_PEPPER is shorter than {SHORTEST_SECRET} characters, or is SECRET_KEY itself.",
            "Give it a random value of its own, before there are API keys: each has to be made again then.",
        )
    elif not found:
        yield Finding(Weight.FINE, "Settings", "No mistakes in the settings.")
    if settings.SANDBOX_URL:
        yield Finding(
            Weight.NOTE,
            "Settings",
            f"SANDBOX_URL is set: accounts are connected with the simulator at {settings.SANDBOX_URL}.",
            "Remove it, and connect every account again, when this is to work with the vendors.",
        )


def site_address() -> Iterator[Finding]:
    """Compares the address that is given to people and vendors with those that this site answers."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield Finding(
            Weight.WRONG,
            "Site address",
            f"PUBLIC_URL is {settings.PUBLIC_URL}, and ALLOWED_HOSTS does not have {host}: all its pages answer 400.",
            f"Add {host} to ALLOWED_HOSTS.",
        )
    elif "*" in settings.ALLOWED_HOSTS:
        yield Finding(
            Weight.NOTE, "Site address", "ALLOWED_HOSTS takes any host.", f"Name what is used instead: {host}."
        )
    else:
        yield Finding(Weight.FINE, "Site address", f"People and vendors reach this site at {settings.PUBLIC_URL}.")


def database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding(
            Weight.WRONG,
            "Database",
            f"The database does not answer: {type(error).__name__}.",
            "Check DATABASE_URL, and that the server runs and lets this machine in.",
        )
        return
    if missing:
        yield Finding(
            Weight.WRONG,
            "Database",
            f"{len(missing)} migrations are missing.",
            "Run `python manage.py migrate`, then restart web and worker.",
        )
    else:
        yield Finding(Weight.FINE, "Database", f"{connection.display_name} answers and has all migrations.")


def queue() -> Iterator[Finding]:
    where = "Redis" if settings.REDIS_URL else "the database"
    try:
        size = queue_broker().queue_size()
    except (RedisError, DatabaseError) as error:
        yield Finding(
            Weight.WRONG,
            "Queue",
            f"The queue in {where} does not answer: {type(error).__name__}. Syncs start late, by the sweeper alone.",
            "Check REDIS_URL, and that the server runs." if settings.REDIS_URL else "Mend the database first.",
        )
    else:
        yield Finding(Weight.FINE, "Queue", f"The queue in {where} answers; {size} tasks wait in it.")


def workers() -> Iterator[Finding]:
    health = queue_health(timezone.now())
    waits = health.oldest_queued
    if health.working:
        yield Finding(Weight.FINE, "Workers", f"A worker has given a sign of life {span(health.heartbeat)} ago.")
    else:
        last = f"for {span(health.heartbeat)}" if health.heartbeat else "yet"
        yield Finding(
            Weight.WRONG,
            "Workers",
            f"No worker has given a sign of life {last}: nothing is synced.",
            "Start `python manage.py worker`; where one runs, its log says why nothing comes through.",
        )
    if waits and waits > LONGEST_WAIT:
        yield Finding(
            Weight.WRONG,
            "Workers",
            f"A job has waited {span(waits)} to be begun.",
            "Start more workers, or raise WORKERS; the desk's page Queue shows what runs.",
        )


def audit_trail() -> Iterator[Finding]:
    """Goes through the chain of each company's audit trail."""
    reports = list(check_all())
    for report in reports:
        if not report.holds:
            which = f" Entry {report.broken.pk}: " if report.broken else " "
            yield Finding(
                Weight.WRONG,
                "Audit trail",
                f"Somebody has changed the trail of {report.name}.{which}{report.why}",
                "`python manage.py audit_check` says more. Find out who writes the database beside FieldCamp.",
            )
    if all(report.holds for report in reports):
        count = sum(report.entries for report in reports)
        yield Finding(Weight.FINE, "Audit trail", f"All {count} entries of the audit trail hold.")


def mail(*, offline: bool) -> Iterator[Finding]:
    if not settings.EMAIL_HOST:
        yield Finding(
            Weight.NOTE,
            "Mail",
            f"No mail server is named: mails are files in {settings.EMAIL_FILE_PATH}, and nobody gets them.",
            "Set EMAIL_HOST and its neighbours.",
        )
        return
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    if "@localhost" in settings.DEFAULT_FROM_EMAIL:
        yield Finding(
            Weight.WRONG,
            "Mail",
            f"Mails are sent from {settings.DEFAULT_FROM_EMAIL}, which servers refuse.",
            "Set DEFAULT_FROM_EMAIL to an address of yours.",
        )
    if offline:
        return
    try:
        with get_connection(timeout=10):
            pass
    except (OSError, smtplib.SMTPException) as error:
        yield Finding(
            Weight.WRONG,
            "Mail",
            f"{server} does not let us in: {type(error).__name__}.",
            "Check EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and EMAIL_HOST_PASSWORD.",
        )
    else:
        yield Finding(Weight.FINE, "Mail", f"{server} takes our mails.")

"""Erasing an account at a vendor: its tokens, what was read from it, and what the sync remembers of it."""

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fieldcamp.webhooks.erasing import erase_events
from fieldcamp.workspace.audit import audit, forget_entries
from fieldcamp.workspace.erasing import Words, entries_about
from fieldcamp.workspace.models import Member, Visit, VisitStatus
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.disconnecting import disconnect
from integrations.calendar import busy
from integrations.ledger.erasing import erase_traces
from integrations.models import ChangeRow, Connection, ConnectionState, ConnectLink, Link
from integrations.providers import PROVIDERS
from integrations.services.erasure.plans import ErasurePlan, no_sync_runs

log = structlog.get_logger(__name__)


def plan_account(connection: Connection) -> ErasurePlan:
    """Returns what erasing the account takes away and what stays."""
    label = PROVIDERS[connection.integration].label
    links = Link.objects.filter(stream__connection=connection)
    removes = [
        gettext("Its tokens, which are withdrawn at {provider} as well, and its name.").format(provider=label),
        ngettext("{count} record's link, with what was seen of it there.",
                 "The links of {count} records, with what was seen of them there.", links.count()
                 ).format(count=links.count()),
        gettext("Busy times that were read from it, its problems, and its part in jobs."),
    ]  # fmt: skip
    stays = [gettext("Everything at {provider} itself, also what FieldCamp has made there.").format(provider=label)]
    erased = links.exclude(erased_at=None).exclude(stream__kind="").count()
    if erased:
        sentence = ngettext(
            "Should it be connected again, it may bring {count} record of an erased client back.",
            "Should it be connected again, it may bring {count} records of erased clients back.",
            erased,
        )
        stays.append(sentence.format(count=erased))
    return ErasurePlan(f"{label} ({connection.account_name})", tuple(removes), tuple(stays))


def erase_account(connection: Connection, *, actor: str) -> None:
    """Erases the account for good; at the vendor only the access ends. Raises InvalidTransition."""
    no_sync_runs(connection.workspace_id)
    if connection.state != ConnectionState.DISCONNECTED:
        disconnect(connection=connection, user=None)
    workspace_id, pk, since = connection.workspace_id, connection.pk, connection.created_at
    with transaction.atomic(), attributed(actor=actor):
        no_sync_runs(workspace_id)
        words = Words.of(words_of_account(connection))
        delete_account(connection)
        erase_traces(workspace_id, {pk}, (), words)
        erase_events(workspace_id, {pk}, words, since=since)
        forget_entries(workspace_id, entries_about(workspace_id, {pk}, words, since, ("connection.",)))
        audit("connection.erased", workspace_id=workspace_id, object_id=pk)
    log.info("connection_erased", connection_id=pk, workspace_id=workspace_id)


def words_of_account(connection: Connection) -> set[str]:
    """Returns what the account is called."""
    return {connection.account_name, connection.readable_account_id}


def delete_account(connection: Connection) -> None:
    """Deletes the account with all that is known from it, inside the caller's transaction."""
    for stream in connection.streams.select_related("connection__member", "connection__workspace"):
        busy.forget(stream)  # the copies of a meeting that other calendars have are shown on
    ChangeRow.objects.filter(connection=connection, record_id="").update(shown=None)
    links = ConnectLink.objects.filter(workspace=connection.workspace_id, integration=connection.integration)
    # Links that were sent before would bring the account back.
    links.filter(member=connection.member_id, used_at=None, revoked_at=None).update(revoked_at=timezone.now())
    connection.delete()


def open_visits(member: Member) -> QuerySet[Visit]:
    """Returns the visits of a person that are not over, whenever they are."""
    over = [VisitStatus.COMPLETED, VisitStatus.CANCELLED]
    return Visit.objects.alive().filter(technician=member).exclude(visit_status__in=over)

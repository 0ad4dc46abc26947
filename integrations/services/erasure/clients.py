"""Erasing a client: all that says who they are, at every place where FieldCamp has written it."""

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext, ngettext

from fieldcamp.api.idempotency import forget_answers
from fieldcamp.webhooks.erasing import erase_events
from fieldcamp.workspace.audit import audit, forget_entries
from fieldcamp.workspace.erasing import Family, entries_about, erase_family, family_of
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Client
from fieldcamp.workspace.tracking import attributed
from integrations.ledger.erasing import erase_links, erase_traces
from integrations.mail.erasing import erase_mails
from integrations.models import ConnectionState, Link
from integrations.providers import PROVIDERS
from integrations.services.erasure.plans import ErasurePlan, no_sync_runs

log = structlog.get_logger(__name__)


def plan_client(client: Client) -> ErasurePlan:
    """Returns what erasing the client takes away and what stays. Raises InvalidTransition."""
    _check(client)
    family = family_of(client)
    removes = [gettext("Names, addresses, phone number and stage of the client.")]
    others = len(family.clients) - 1
    counted = (
        (others, "The same of {count} place or merged client of theirs.",
         "The same of {count} places and merged clients of theirs."),
        (len(family.visits), "{count} visit: it is deleted, with its title, notes and address.",
         "{count} visits: they are deleted, with their titles, notes and addresses."),
        (len(family.drafts), "{count} draft of an invoice: it is deleted.",
         "{count} drafts of invoices: they are deleted."),
        (len(family.invoices), "Message, recipient and descriptions of the lines of {count} invoice.",
         "Messages, recipients and descriptions of the lines of {count} invoices."),
        (len(family.payments), "Reference and notes of {count} payment.", "References and notes of {count} payments."),
    )  # fmt: skip
    removes += [ngettext(one, many, count).format(count=count) for count, one, many in counted if count]
    removes.append(
        gettext(
            "What the change log, the change feed, problems, jobs, links, stored answers of the API and the audit "
            "trail say of them, and mails about them that are kept as files."
        )
    )
    return ErasurePlan(str(client), tuple(removes), tuple(_stays(family)))


def _stays(family: Family) -> list[str]:
    said = []
    documents = len(family.invoices) + len(family.payments)
    if documents:
        said.append(
            ngettext(
                "{count} invoice or payment: number, dates, items, quantities and amounts, which the books need.",
                "{count} invoices and payments: numbers, dates, items, quantities and amounts, which the books need.",
                documents,
            ).format(count=documents)
        )
    said.append(gettext("The ids of all these records, and when each was changed."))
    links = Link.objects.present().filter(stream__connection__workspace=family.workspace_id, record_id__in=family.ids)
    kept = Q(stream__connection__state=ConnectionState.DISCONNECTED) | ~Q(stream__kind="")
    accounts = (
        links.filter(kept).order_by().values_list("stream__connection__integration", "stream__connection__account_name")
    )
    sentence = gettext("What {provider} ({account}) has itself. Erase it there, too; it is not taken in again.")
    for integration, account in sorted(set(accounts)):
        said.append(sentence.format(provider=PROVIDERS[integration].label, account=account))
    return said


def erase_client(client: Client, *, actor: str) -> None:
    """Erases the client for good. Their events leave the calendars with the next sync; a customer in the books is the
    books' own, and is not taken in again. Raises InvalidTransition."""
    with transaction.atomic(), attributed(actor=actor):
        client = Client.objects.select_for_update().get(pk=client.pk)
        _check(client)
        no_sync_runs(client.workspace_id)
        family = family_of(client)
        erase_family(family)
        links = erase_links(family.workspace_id, family.ids, family.words)
        erase_traces(family.workspace_id, family.ids, links, family.words)
        forget_answers(family.workspace_id, family.ids, family.words)
        erase_events(family.workspace_id, family.ids, family.words, since=family.since)
        entries = entries_about(family.workspace_id, family.ids, family.words, family.since, ("client.", "visit."))
        forget_entries(family.workspace_id, entries)
        counts = {
            "clients": len(family.clients), "visits": len(family.visits), "invoices": len(family.invoices),
            "payments": len(family.payments),
        }  # fmt: skip
        audit("client.erased", workspace_id=family.workspace_id, object_id=client.pk, after=counts)
    erase_mails(family.words)
    log.info("client_erased", client_id=client.pk, workspace_id=family.workspace_id, **counts)


def _check(client: Client) -> None:
    if client.erased_at:
        raise InvalidTransition(gettext("This client has been erased already."))
    if client.merged_into_id:
        sentence = gettext("This client was merged into {client}. Erase that one; this one goes along.")
        raise InvalidTransition(sentence.format(client=client.merged_into_id))

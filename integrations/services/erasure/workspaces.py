"""Erasing a whole company."""

import structlog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils.translation import gettext

from fieldcamp.api.models import RateWindow
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.erasing import Words
from fieldcamp.workspace.models import (
    AuditChain,
    Client,
    Invoice,
    InvoiceLine,
    Item,
    Member,
    Payment,
    PaymentAllocation,
    TaxRate,
    Visit,
    Workspace,
)
from integrations.accounts.disconnecting import disconnect
from integrations.mail.erasing import erase_mails
from integrations.models import ConnectionState
from integrations.services.erasure.logins import erase_login, forget_login, is_only_in
from integrations.services.erasure.plans import ErasurePlan, no_sync_runs

log = structlog.get_logger(__name__)

# Who is pointed to comes after who points there.
_IN_ORDER: tuple[tuple[type[models.Model], str], ...] = (
    (PaymentAllocation, "payment__workspace"), (InvoiceLine, "invoice__workspace"), (Payment, "workspace"),
    (Invoice, "workspace"), (Visit, "workspace"), (Client, "workspace"), (Item, "workspace"), (TaxRate, "workspace"),
)  # fmt: skip


def plan_workspace(workspace: Workspace) -> ErasurePlan:
    """Returns what erasing the company takes away and what stays."""
    counts = (
        (gettext("people with their logins"), workspace.members.count()),
        (gettext("clients"), workspace.clients.count()),
        (gettext("visits"), workspace.visits.count()),
        (gettext("invoices"), workspace.invoices.count()),
        (gettext("payments"), workspace.payments.count()),
        (gettext("connected accounts, whose access is withdrawn at the vendor"), workspace.connections.count()),
        (gettext("API keys"), workspace.api_keys.count()),
    )
    removes = [f"{count} {what}." for what, count in counts if count]
    removes.append(gettext("Its settings, jobs, problems, change log, change feed and audit trail."))
    stays = (
        gettext("What calendars and books at the vendors have themselves, also what FieldCamp has made there."),
        gettext("One entry in the operators' audit trail: that a company with this id was erased, and when."),
        gettext("Logins of operators, log files and backups, for as long as the operator keeps these."),
    )
    return ErasurePlan(workspace.name, tuple(removes), stays)


def erase_workspace(workspace: Workspace, *, actor: str) -> None:
    """Deletes the company with all that belongs to it. Raises InvalidTransition."""
    no_sync_runs(workspace.pk)
    for connection in workspace.connections.exclude(state=ConnectionState.DISCONNECTED):
        disconnect(connection=connection, user=None)  # asks the vendor, so it is done before the transaction
    pk = workspace.pk
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=pk)
        no_sync_runs(pk)
        members = list(workspace.members.select_related("user"))
        words = Words.of({workspace.name, *(member.email for member in members)})
        users = [member.user for member in members if member.user is not None and is_only_in(member.user, pk)]
        counters = [pk, *workspace.api_keys.values_list("pk", flat=True)]
        for id in counters:
            RateWindow.objects.filter(id__startswith=f"{id}:").delete()
        for model in (Member, Payment, Invoice, Visit, Client, Item, TaxRate):
            ids = model._base_manager.filter(workspace=pk).values("pk")
            LogEntry.objects.filter(object_id__in=ids).delete()
        LogEntry.objects.filter(object_id=pk).delete()
        models.QuerySet(Client).filter(workspace=pk).update(parent=None, merged_into=None)
        for table, path in _IN_ORDER:
            models.QuerySet(table).filter(**{path: pk}).delete()  # which the change log is not told of: it goes as well
        AuditChain.objects.filter(pk=pk).delete()
        workspace.delete()
        for user in users:
            forget_login(user, Words.of({user.username, user.email}))
            erase_login(user)
            User.objects.filter(pk=user.pk).delete()
        audit("workspace.erased", workspace_id=None, object_id=pk, actor=actor)
    erase_mails(words)
    log.info("workspace_erased", workspace_id=pk)

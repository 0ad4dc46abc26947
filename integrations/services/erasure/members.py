"""Erasing a person of the team: their row, their login, their accounts at vendors, and their name on what they did."""

from typing import Any

import structlog
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fieldcamp.api.idempotency import forget_answers
from fieldcamp.api.models import ApiKey
from fieldcamp.api.services import keys_made_by
from fieldcamp.webhooks.erasing import erase_events
from fieldcamp.workspace.audit import audit, forget_entries
from fieldcamp.workspace.audit_chain import ERASED
from fieldcamp.workspace.erasing import Words, entries_about, erase_log_entries
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Change, Member, Role
from fieldcamp.workspace.roles import is_privileged
from fieldcamp.workspace.telling import tell_of_person
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.disconnecting import disconnect
from integrations.ledger.erasing import erase_traces
from integrations.mail.erasing import erase_mails
from integrations.models import ChatAddress, Connection, ConnectionState, ConnectLink, ReturnAddress, SyncJob
from integrations.services.erasure.accounts import delete_account, open_visits, plan_account, words_of_account
from integrations.services.erasure.logins import erase_login, forget_login, is_only_in
from integrations.services.erasure.plans import ErasurePlan, no_sync_runs

log = structlog.get_logger(__name__)


def plan_member(member: Member, by: Member | None = None) -> ErasurePlan:
    """Returns what erasing the person takes away and what stays. Raises InvalidTransition."""
    _check(member, by)
    removes = [gettext("Name, e-mail address and role.")]
    stays = [gettext("The id of the person, at what they have done: when, and what it was.")]
    if member.user is not None and _is_only_here(member):
        removes.append(gettext("The login, its sessions and all that belongs to it."))
    elif member.user is not None:
        stays.append(gettext("The login: it belongs to an operator or to another company, too."))
    if keys := keys_made_by(member).count():
        sentence = ngettext(
            "{count} API key that they made goes on working. End it first if nobody else uses it.",
            "{count} API keys that they made go on working. End first those that nobody else uses.",
            keys,
        )
        stays.append(sentence.format(count=keys))
    for connection in member.connections.all():
        account = plan_account(connection)
        removes += [f"{account.name}: {sentence}" for sentence in account.removes]
        stays += [f"{account.name}: {sentence}" for sentence in account.stays]
    coming = open_visits(member).count()
    if coming:
        sentence = ngettext(
            "{count} visit that is not over has no technician then.",
            "{count} visits that are not over have no technician then.",
            coming,
        )
        removes.append(sentence.format(count=coming))
    removes.append(
        gettext(
            "Their name in the change log, the audit trail, jobs, problems, keys and stored answers of the API, and "
            "mails to them that are kept as files."
        )
    )
    return ErasurePlan(str(member), tuple(removes), tuple(stays))


def erase_member(member: Member, *, by: Member | None, actor: str) -> None:
    """Erases the person for good; `by` is None for an operator. Their accounts are disconnected, at the vendor as well.
    Raises InvalidTransition."""
    _check(member, by)
    no_sync_runs(member.workspace_id)
    for connection in member.connections.exclude(state=ConnectionState.DISCONNECTED):
        disconnect(connection=connection, user=None)  # asks the vendor, so it is done before the transaction
    with transaction.atomic(), attributed(actor=actor):
        # All owners under one lock, so that two of them cannot erase each other at once.
        owners = models.Q(workspace=member.workspace_id, role=Role.OWNER) | models.Q(pk=member.pk)
        rows = {row.pk: row for row in Member.objects.select_for_update().filter(owners).order_by("pk")}
        member = rows[member.pk]
        _check(member, by)
        no_sync_runs(member.workspace_id)
        words = _words_of(member)
        open_visits(member).update(technician=None)
        for connection in member.connections.all():
            delete_account(connection)
        about = {member.pk}
        if member.user is not None and _is_only_here(member):
            about.add(f"user_{member.user_id}")
            forget_login(member.user, words)
            erase_login(member.user)
        _erase_row(member)
        member.refresh_from_db()
        tell_of_person(member, {})
        erase_events(member.workspace_id, about, words, since=member.created_at)
        erase_traces(member.workspace_id, about, (), words)
        _erase_actor(member, words)
        erase_log_entries(about)
        forget_answers(member.workspace_id, about, words)
        forget_entries(member.workspace_id, entries_about(member.workspace_id, about, words, member.created_at))
        audit("member.erased", workspace_id=member.workspace_id, object_id=member.pk)
    erase_mails(words)
    log.info("member_erased", member_id=member.pk, workspace_id=member.workspace_id)


def _check(member: Member, by: Member | None) -> None:
    if member.erased_at:
        raise InvalidTransition(gettext("This person has been erased already."))
    if by is not None and by.pk == member.pk:
        raise InvalidTransition(gettext("You cannot erase yourself. Ask another owner."))
    if by is not None and is_privileged(member.user):
        raise InvalidTransition(gettext("This person is an operator of FieldCamp. Ask another operator to erase them."))
    owners = Member.objects.filter(workspace=member.workspace_id, role=Role.OWNER, is_active=True)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise InvalidTransition(gettext("This is the only owner. Make another person an owner first."))


def _is_only_here(member: Member) -> bool:
    return member.user is not None and is_only_in(member.user, member.workspace_id)


def _words_of(member: Member) -> Words:
    inside = {str(member), member.email} if member.last_name else {member.email}
    if member.user is not None and _is_only_here(member):
        inside |= {member.user.username, member.user.email, member.user.get_full_name()}
    for connection in member.connections.all():
        inside |= words_of_account(connection)
    others = Member.objects.filter(workspace=member.workspace_id).exclude(pk=member.pk).select_related("user")
    # What somebody else is called as well stays theirs.
    theirs = {name for other in others for name in (str(other), other.email, other.user and other.user.username)}
    return Words.of(inside - theirs, whole={str(member), member.first_name} - theirs)


def _erase_row(member: Member) -> None:
    for related in Member._meta.related_objects:
        if getattr(related, "on_delete", None) is models.CASCADE:
            related.related_model._base_manager.filter(**{related.field.name: member}).delete()
    blank = {"first_name": ERASED, "last_name": "", "email": "", "role": Role.VIEWER, "user": None}
    off: dict[str, Any] = {"is_active": False, "is_technician": False, "weekly_summary": False, "tour_dismissed": True}
    off |= {"notices": {}, "looked_at": None, "last_seen_at": None, "problems_told_at": None}
    Member.objects.filter(pk=member.pk).update(**blank, **off, erased_at=timezone.now())


def _erase_actor(member: Member, words: Words) -> None:
    """Takes the person's name off what they did. Names are few, however much was done under each."""
    company = {"workspace": member.workspace_id}
    for rows, name in (
        (Change.objects.filter(**company, at__gte=member.created_at), "actor"),
        (SyncJob.objects.filter(**company), "actor"),
        (ApiKey.objects.filter(**company), "created_by"),
        (ApiKey.objects.filter(**company), "name"),
        (Connection.objects.filter(**company), "state_reason"),
        (ConnectLink.objects.filter(**company), "created_by"),
        (ReturnAddress.objects.filter(**company), "created_by"),
        (ChatAddress.objects.filter(**company), "created_by"),
    ):
        for text in rows.order_by().values_list(name, flat=True).distinct():
            if (erased := words.erased(text)) != text:
                rows.filter(**{name: text}).update(**{name: erased})

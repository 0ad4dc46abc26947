"""Leaving an account: disconnecting it, and what becomes of the rest where its person does not work here any more."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.buttons import rights_at
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.services import leaving
from integrations.services.setup import keeps_books
from integrations.views.common import done, one, tell
from integrations.views.forms.leaving import LeavingForm


def _connection(request: HttpRequest, connection_id: str) -> Connection:
    connection: Connection = one(request, Connection.objects.select_related("workspace", "member"), connection_id)
    if not rights_at(desk_user_of(request)).may_change(connection):
        raise PermissionDenied
    return connection


def _form(request: HttpRequest, connection: Connection) -> LeavingForm:
    manages = rights_at(desk_user_of(request)).manages
    return LeavingForm(
        request.POST if request.method == "POST" else None,
        left=leaving.Left() if keeps_books(connection) else leaving.what_is_left(connection),
        removable=leaving.can_remove_events(connection),
        people=leaving.new_technicians(connection) if manages else [],
        person=str(connection.member or ""),
    )


def _page(request: HttpRequest, template: str, title: str, connection: Connection, form: LeavingForm) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": title,
        "connection": connection,
        "provider": PROVIDERS[connection.integration],
        "books": keeps_books(connection),
        "left": leaving.what_is_left(connection),
        "form": form,
    }
    return render(request, template, context, status=form.status)


def _carried_out(request: HttpRequest, connection: Connection, form: LeavingForm, disconnecting: bool) -> bool:
    user = desk_user_of(request).user
    return form.attempt(
        lambda: leaving.leave(connection=connection, choices=form.choices(), user=user, disconnecting=disconnecting)
    )


def _watch(request: HttpRequest, connection: Connection, job_id: str, sentence: str) -> HttpResponse:
    tell(request, connection, sentence.format(account=connection.account_name))
    return redirect("admin:integrations_syncjob_change", job_id)


@confirmed
@desk_view("GET", "POST")
def disconnect(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Shows on GET what will happen, and does it on POST."""
    connection = _connection(request, connection_id)
    form = _form(request, connection)
    if not form.is_bound or not _carried_out(request, connection, form, disconnecting=True):
        title = gettext("Disconnect {account}?").format(account=connection.account_name)
        return _page(request, "integrations/disconnect.html", title, connection, form)
    connection, job = form.result
    if job is not None:
        said = gettext("FieldCamp's events are being removed from the calendar. Then {account} is disconnected.")
        return _watch(request, connection, job.pk, said)
    there = PROVIDERS[connection.integration].label
    note = gettext("{provider} has withdrawn FieldCamp's access.").format(provider=there)
    if not connection.revoked_at_provider:
        note = gettext(
            "FieldCamp has deleted its own access. {provider} may still list it: look there who has access."
        ).format(provider=there)
    sentence = gettext("{account} is disconnected.").format(account=connection.account_name)
    return done(request, connection, f"{sentence} {note}")


@desk_view("GET", "POST")
def person_left(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Asks what becomes of visits, events and busy times of a person who is not active any more."""
    connection = _connection(request, connection_id)
    if connection.state_now != ConnectionState.MEMBER_INACTIVE:
        return redirect("admin:integrations_connection_change", connection.pk)
    form = _form(request, connection)
    if not form.is_bound or not _carried_out(request, connection, form, disconnecting=False):
        title = gettext("{member} is not active any more").format(member=connection.member)
        return _page(request, "integrations/person_left.html", title, connection, form)
    connection, job = form.result
    if job is not None:
        return _watch(request, connection, job.pk, gettext("FieldCamp's events are being removed from {account}."))
    tell(request, connection, gettext("Done as you chose for {account}.").format(account=connection.account_name))
    return redirect("admin:integrations_connection_change", connection.pk)

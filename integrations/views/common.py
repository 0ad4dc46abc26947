"""What the views of the desk's buttons have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.audit import audit_export
from fieldcamp.workspace.errors import InvalidTransition
from integrations.accounts.rights import Rights, connections_of, rights_of
from integrations.models import Connection
from integrations.services import decisions, jobs, plans
from integrations.services.books.decisions import NotPossible

REFUSALS = (
    jobs.NotConnected,
    jobs.SyncInProgress,
    jobs.JobFinished,
    decisions.AlreadyDecided,
    NotPossible,
    InvalidTransition,
    plans.PlanExpired,
    plans.PlanRefused,
)


def back(request: HttpRequest) -> HttpResponseRedirect:
    """Returns to the page with the button (`next`), if that is one of ours; else to the dashboard."""
    return HttpResponseRedirect(back_to(request, request.POST.get("next", ""), "admin:index"))


def back_to(request: HttpRequest, place: str, otherwise: str) -> str:
    """Returns this address, if it is one of ours; else that of the page with the name `otherwise`."""
    if url_has_allowed_host_and_scheme(place, {request.get_host()}, require_https=request.is_secure()):
        return place
    return reverse(otherwise)


def done(request: HttpRequest, obj: Model, sentence: str) -> HttpResponseRedirect:
    """Says it to the person, keeps on record who did it, and goes back."""
    tell(request, obj, sentence)
    return back(request)


def tell(request: HttpRequest, obj: Model, sentence: str) -> None:
    """Says it to the person, and keeps on record who did it."""
    LogEntry.objects.log_actions(desk_user_of(request).user.pk, [obj], CHANGE, sentence, single_object=True)
    messages.success(request, sentence)


def attempt(request: HttpRequest, call: Callable[[], Any]) -> tuple[bool, Any]:
    """Tells the person what the service refuses."""
    try:
        return True, call()
    except REFUSALS as error:
        messages.warning(request, str(error))
        return False, None


def tell_saved(request: HttpRequest, connection: Connection) -> None:
    saved = gettext("The settings of {account} are saved.").format(account=connection.account_name)
    messages.success(request, saved)


def after_setup(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Leads on to the preview of what has not been synced yet, else to the account's page."""
    if connection.streams.filter(is_active=True, first_synced_at=None).exists():
        return redirect("integrations:preview", connection.pk)
    tell_saved(request, connection)
    return redirect("admin:integrations_connection_change", connection.pk)


def one(request: HttpRequest, rows: QuerySet, pk: str, path: str = "workspace") -> Any:
    return get_object_or_404(desk_user_of(request).scope(rows, path), pk=pk)


def changeable(request: HttpRequest, connection_id: str) -> tuple[Connection, Rights]:
    """Returns the connection, for whoever may change it; for anybody else there is none."""
    if "\x00" in connection_id:
        raise Http404  # PostgreSQL refuses NUL in any text
    connection = get_object_or_404(connections_of(request.user), pk=connection_id)
    rights = rights_of(request.user, connection.workspace)
    if not rights.may_change(connection):
        raise Http404
    return connection, rights


def csv_response(request: HttpRequest, workspace_id: str, lines: Iterable[str], name: str) -> StreamingHttpResponse:
    """Sends a table of a company's for spreadsheets, as a file of this name, and keeps on record who has it."""
    audit_export(name, workspace_id=workspace_id, actor=desk_user_of(request).name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

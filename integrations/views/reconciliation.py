"""The page that says whether a company's books are right, and its table for spreadsheets."""

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.buttons import sync_button
from integrations.admin.reconciliation import reconciliation_context
from integrations.errors import ProviderError
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.reconciliation.reading import StillReading, unfinished_reading
from integrations.reconciliation.table import csv_table
from integrations.services.accepting import accept_balances, take_back
from integrations.services.reconciliation import reconcile_known, reconcile_now
from integrations.services.setup import keeps_books
from integrations.views.common import attempt, back, csv_response, one
from integrations.views.forms.reconciliation import AcceptForm, DaysForm


def _company(request: HttpRequest, connection_id: str) -> Connection:
    found: Connection = one(request, Connection.objects.select_related("workspace", "member"), connection_id)
    if not (keeps_books(found) and found.usable):
        raise Http404
    return found


@desk_view("GET", "POST")
def page(request: HttpRequest, connection_id: str) -> HttpResponseBase:
    """Shows what differs, as far as it is known without a call; on POST the books are read before."""
    connection = _company(request, connection_id)
    if request.method == "POST":
        return _ask(request, connection)
    form = DaysForm(request.GET)
    days = form.days() if form.is_valid() else {}
    report = reconcile_known(connection, **days)
    desk_user = desk_user_of(request)
    context = {
        **admin.site.each_context(request),
        **reconciliation_context(report, unfinished_reading(connection)),
        "title": gettext("Are the books of {account} right?").format(account=connection.account_name),
        "form": form,
        "may_ask": desk_user.may("sync"),
        "may_accept": desk_user.may("ignore"),
        "sync": sync_button(connection, desk_user),
    }
    return render(request, "integrations/reconciliation.html", context, status=400 if form.errors else 200)


@desk_view("POST", may="sync")
def _ask(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Reads the books, as far as that goes while somebody waits, and shows the page again."""
    try:
        reconcile_now(connection)
    except StillReading as still:
        said = gettext("These are large books: {number} documents are read so far. The page looks again by itself.")
        messages.info(request, said.format(number=f"{still.records:,}"))
    except ProviderError as error:
        messages.warning(request, str(error))
    return redirect(request.get_full_path())


@desk_view("POST", may="ignore")
def accept(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Says that balances are meant so, or takes it back (`undo`)."""
    connection, user = _company(request, connection_id), desk_user_of(request).user
    form = AcceptForm(request.POST)
    if not form.is_valid():
        messages.warning(request, gettext("Nothing was chosen."))
    elif request.POST.get("undo"):
        [wrong] = form.cleaned_data["chosen"][:1]
        done, _ = attempt(
            request,
            lambda: take_back(connection=connection, cause=wrong.cause, customer=wrong.customer, user=user),
        )
        if done:
            messages.success(request, gettext("It is a difference again."))
    else:
        chosen = form.cleaned_data["chosen"]
        done, _ = attempt(request, lambda: accept_balances(connection=connection, chosen=chosen, user=user))
        if done:
            messages.success(request, gettext("Accepted with this amount. It comes back when the amount changes."))
    return back(request)


@desk_view("GET")
def reading(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Shows how far the reading of large books is; when it is over, the page is loaded once more."""
    connection = _company(request, connection_id)
    under_way = unfinished_reading(connection)
    if under_way is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = {"connection": connection, "under_way": under_way, "label": PROVIDERS[connection.integration].label}
    return render(request, "integrations/reconciliation_reading.html", context)


@desk_view("GET")
def table(request: HttpRequest, connection_id: str) -> StreamingHttpResponse:
    """Sends the differences as CSV, of these days if asked for."""
    connection = _company(request, connection_id)
    form = DaysForm(request.GET)
    if not form.is_valid():
        raise Http404
    report = reconcile_known(connection, **form.days())
    return csv_response(
        request, connection.workspace_id, csv_table(report), f"reconciliation-{report.as_of:%Y-%m-%d}.csv"
    )

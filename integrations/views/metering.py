"""What an account's calls come to, and how many of them a day may be billed."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.buttons import rights_at
from integrations.admin.metering import meter_context
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.services.metering import set_reads_per_day
from integrations.views.common import one, tell
from integrations.views.forms.metering import ReadsPerDayForm


@desk_view("GET", "POST")
def page(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Shows the counts and asks for the limit, where the provider bills calls."""
    connection = one(request, Connection.objects.select_related("workspace"), connection_id)
    provider = PROVIDERS[connection.integration]
    if not provider.meters_reads:
        raise Http404
    user = desk_user_of(request)
    may = rights_at(user).may_change(connection)
    if request.method == "POST" and not may:
        raise PermissionDenied
    form = ReadsPerDayForm(
        request.POST if request.method == "POST" else None, initial={"limit": connection.metered_reads_per_day}
    )
    if form.is_bound and form.attempt(
        lambda: set_reads_per_day(connection=connection, user=user.user, **form.cleaned_data)
    ):
        tell(request, connection, _said(form.cleaned_data["limit"]))
        return redirect("admin:integrations_connection_change", connection.pk)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Calls of {account}").format(account=connection.account_name),
        "connection": connection,
        "provider": provider,
        "form": form,
        "may": may,
        **meter_context(connection, timezone.now()),
    }
    return render(request, "integrations/metering.html", context, status=400 if form.errors else 200)


def _said(limit: int | None) -> str:
    if limit is None:
        return gettext("The limit of billed reads is the installation's.")
    if not limit:
        return gettext("Billed reads have no limit.")
    return gettext("Billed reads are limited to {limit} a day.").format(limit=f"{limit:,}")

"""The pages of a company's books: what is chosen for them, the first sync, and what stands for what. Each parses, calls
one service and renders."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from integrations.admin.first_sync import dated_in, listed_in
from integrations.admin.mapping import MappingPage
from integrations.admin.values import PLURALS
from integrations.errors import AllowanceSpent, ProviderError, RateLimited
from integrations.models import Connection, ConnectionState, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.books import mapping as books_mapping
from integrations.services.books import setup as books_setup
from integrations.services.books.preview import preview_books
from integrations.services.books.suggest import TAX_MODES, day_of, suggestions, warnings
from integrations.services.setup import keeps_books, kept_elsewhere
from integrations.views.common import after_setup, back, changeable
from integrations.views.forms.books import BooksForm, DefaultsForm, usual
from integrations.views.forms.mapping import FORMS, MappingForm


def setup(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Asks how this company's books are kept; nothing syncs before it is saved."""
    provider = PROVIDERS[connection.integration]
    context: dict[str, Any] = {"connection": connection, "provider": provider}
    try:
        choices = books_setup.read_choices(connection)
        suggested = suggestions(connection, choices)
        form = BooksForm(
            request.POST if request.method == "POST" else None,
            choices=choices,
            provider=provider,
            suggested=suggested,
            chosen=books_setup.chosen(connection) or usual(suggested),
            shared=connection.state == ConnectionState.SETUP and kept_elsewhere(connection),
        )
        if form.is_bound and form.attempt(
            lambda: books_setup.set_up_books(
                connection=connection, user=request.user, choices=choices, **form.choices()
            )
        ):
            return after_setup(request, connection)
    except ProviderError as error:
        return _unwell(request, context | {"error": error})
    context |= {
        "form": form,
        "company": choices.company,
        "tax_mode": TAX_MODES.get(choices.company.tax_mode, ""),
        "closed_until": day_of(choices.company.closed_until),
        "warnings": warnings(choices.company),
    }
    return render(request, "connect/books.html", context, status=form.status)


def preview(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Shows what the first sync would do, and the button that starts it."""
    context: dict[str, Any] = {"connection": connection, "provider": PROVIDERS[connection.integration]}
    try:
        found = context["preview"] = preview_books(connection)
    except ProviderError as error:
        return _unwell(request, context | {"error": error})
    context["shared"] = kept_elsewhere(connection)
    context["rows"] = [(PLURALS[kind], count) for kind, count in found.counts.items()]
    context["unread"] = ", ".join(str(PLURALS[kind]) for kind in found.unread)
    context["listed"] = listed_in(found, PROVIDERS[connection.integration].label)
    context["dated"] = dated_in(found, PROVIDERS[connection.integration].label)
    return render(request, "connect/books_preview.html", context)


def _unwell(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Shows what the provider's refusal means for this page; a page asked for too soon after another asks again by
    itself."""
    error, soon = context["error"], not isinstance(context["error"], AllowanceSpent)
    if isinstance(error, RateLimited) and soon and request.method == "GET":
        response = render(request, "connect/busy.html", context, status=503)
        response["Retry-After"] = "3"
        return response
    if not soon:
        context["limit_url"] = reverse("integrations:metering", args=[context["connection"].pk])
    return render(request, "connect/unreachable.html", context, status=503)


@desk_view("GET", "POST", may="settings")
def mapping(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Asks which tax code, item and account of the books stand for which of FieldCamp's. Each part is a form of its
    own."""
    connection, _ = changeable(request, connection_id)
    if not (keeps_books(connection) and connection.usable):
        return redirect("integrations:setup", connection.pk)
    part = request.POST.get("part", "")
    error = gettext("Nothing was chosen.") if request.method == "POST" and part not in FORMS else ""
    forms: dict[str, MappingForm] = {}
    try:
        page = MappingPage(connection, request.GET.get("q", ""))
        if part in FORMS:
            form = forms[part] = FORMS[part](page, request.POST)
            if form.attempt(lambda: _save(form, connection, cast(User, request.user))):
                said = gettext("Saved. What waited for it is tried now.") if form.result else gettext("Saved.")
                messages.success(request, said)
                return redirect(request.get_full_path())
        forms |= {part: make(page, None) for part, make in FORMS.items() if part not in forms}
        context = page.context() | forms | {"form": forms.get(part)}
    except ProviderError as unreachable:
        unwell: dict[str, Any] = {
            "connection": connection,
            "provider": PROVIDERS[connection.integration],
            "error": unreachable,
        }
        return _unwell(request, unwell)
    title = gettext("Mapping of {account}").format(account=connection.account_name)
    context |= {**admin.site.each_context(request), "error": error, "title": title}
    wrong = error or (part in forms and forms[part].errors)
    return render(request, "integrations/mapping.html", context, status=400 if wrong else 200)


def _save(form: MappingForm, connection: Connection, user: User) -> SyncJob | None:
    if isinstance(form, DefaultsForm):
        return books_mapping.set_defaults(connection=connection, user=user, **form.choices())
    return books_mapping.map_records(connection=connection, kind=form.kind, chosen=form.chosen, user=user)


@desk_view("POST", may="settings")
def refresh_company(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Asks again what the company is like: its tax, its closed books."""
    connection, _ = changeable(request, connection_id)
    if not (keeps_books(connection) and connection.usable):
        raise Http404
    try:
        books_setup.refresh_company(connection)
        messages.success(request, gettext("This is what the company is like now."))
    except ProviderError as error:
        messages.warning(request, str(error))
    return back(request)

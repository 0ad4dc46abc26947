"""The pages of a company's books: what is chosen for them, the first sync, and what stands for what. Each parses, calls
one service and renders."""

import datetime as dt
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from fieldcamp.desk.site import desk_view
from integrations.admin.mapping import mapping_context, posted_items, posted_taxes
from integrations.errors import ProviderError, RateLimited
from integrations.kinds import ITEM, TAX
from integrations.models import ConflictPolicy, Connection, Direction
from integrations.providers import PROVIDERS
from integrations.services.books import mapping as books_mapping
from integrations.services.books import setup as books_setup
from integrations.services.books.preview import preview_books
from integrations.services.books.suggest import TAX_MODES, day_of, suggestions, warnings
from integrations.services.setup import SetupError, keeps_books
from integrations.views.common import back, changeable

_FIELDS = ("income_account", "default_item", "direction", "policy_lists", "policy_documents")
_DIRECTIONS = {
    Direction.TWO_WAY: "Both ways",
    Direction.PUSH: "FieldCamp to the books only",
    Direction.PULL: "The books to FieldCamp only",
}


def setup(request: HttpRequest, connection: Connection) -> HttpResponse:
    """How this company's books are kept; nothing syncs before it is saved."""
    context: dict[str, Any] = {
        "connection": connection,
        "provider": PROVIDERS[connection.integration],
        "directions": [(value.value, words) for value, words in _DIRECTIONS.items()],
        "policies": ConflictPolicy.choices,
    }
    try:
        choices = books_setup.read_choices(connection)
        context |= {
            "choices": choices,
            "tax_mode": TAX_MODES.get(choices.company.tax_mode, ""),
            "closed_until": day_of(choices.company.closed_until),
            "warnings": warnings(choices.company),
            "suggested": (suggested := suggestions(connection, choices)),
        }
        if request.method == "GET":
            before = books_setup.chosen(connection)
            context["chosen"] = before or {
                "income_account": suggested.income_account,
                "default_item": suggested.default_item,
                "import_customers": True,
                "import_items": True,
                "invoices_from": suggested.invoices_from,
                "direction": Direction.TWO_WAY.value,
                "policy_lists": ConflictPolicy.LOCAL.value,
                "policy_documents": ConflictPolicy.ASK.value,
            }
            return render(request, "connect/books.html", context)
        context["chosen"] = chosen = _posted(request)
        books_setup.set_up_books(
            connection=connection,
            income_account_id=chosen["income_account"],
            default_item_id=chosen["default_item"],
            import_customers=chosen["import_customers"],
            import_items=chosen["import_items"],
            invoices_from=_day(chosen["invoices_from"]),
            direction=chosen["direction"],
            policy_lists=chosen["policy_lists"],
            policy_documents=chosen["policy_documents"],
            user=request.user,
            choices=choices,
        )
    except SetupError as error:
        context |= {"error": str(error), "error_field": error.field}
        return render(request, "connect/books.html", context, status=400)
    except ProviderError as error:
        return _unwell(request, context | {"error": error})
    if connection.streams.filter(is_active=True, first_synced_at=None).exists():
        return redirect("integrations:preview", connection.pk)
    messages.success(request, f"The settings of {connection.account_name} are saved.")
    return redirect("admin:integrations_connection_change", connection.pk)


def _posted(request: HttpRequest) -> dict[str, Any]:
    return {
        **{name: request.POST.get(name, "") for name in _FIELDS},
        "import_customers": request.POST.get("import_customers") == "1",
        "import_items": request.POST.get("import_items") == "1",
        "invoices_from": request.POST.get("invoices_from", "").strip(),
    }


def _day(text: str) -> dt.date | None:
    day = day_of(text)
    if text and day is None:
        raise SetupError("invoices_from", "Give a day like 2026-01-31, or leave it empty.")
    return day


def preview(request: HttpRequest, connection: Connection) -> HttpResponse:
    """What the first sync would do, and the button that starts it."""
    context: dict[str, Any] = {"connection": connection, "provider": PROVIDERS[connection.integration]}
    try:
        context["preview"] = preview_books(connection)
    except ProviderError as error:
        return _unwell(request, context | {"error": error})
    return render(request, "connect/books_preview.html", context)


def _unwell(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """What the provider's refusal means for this page; a page asked for too soon after another asks again by itself."""
    if isinstance(context["error"], RateLimited) and request.method == "GET":
        response = render(request, "connect/busy.html", context, status=503)
        response["Retry-After"] = "3"
        return response
    return render(request, "connect/unreachable.html", context, status=503)


@desk_view("GET", "POST", may="settings")
def mapping(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Which tax code, item and account of the books stand for which of FieldCamp's. Each part is a form of its own."""
    connection, _ = changeable(request, connection_id)
    if not (keeps_books(connection) and connection.usable):
        return redirect("integrations:setup", connection.pk)
    error = None
    try:
        if request.method == "POST":
            try:
                _map(request, connection)
                return redirect(request.get_full_path())
            except SetupError as refusal:
                error = refusal
        context = mapping_context(connection, request.GET, request.POST if error else None)
    except ProviderError as unreachable:
        unwell: dict[str, Any] = {
            "connection": connection,
            "provider": PROVIDERS[connection.integration],
            "error": unreachable,
        }
        return _unwell(request, unwell)
    context |= {**admin.site.each_context(request), "error": error, "title": f"Mapping of {connection.account_name}"}
    return render(request, "integrations/mapping.html", context, status=400 if error else 200)


def _map(request: HttpRequest, connection: Connection) -> None:
    part, user = request.POST.get("part", ""), cast(User, request.user)
    if part == "taxes":
        job = books_mapping.map_records(
            connection=connection, kind=TAX.name, chosen=posted_taxes(request.POST), user=user
        )
    elif part == "items":
        chosen = posted_items(connection, request.POST)
        job = books_mapping.map_records(connection=connection, kind=ITEM.name, chosen=chosen, user=user)
    elif part == "defaults":
        job = books_mapping.set_defaults(
            connection=connection,
            income_account_id=request.POST.get("income_account", ""),
            default_item_id=request.POST.get("default_item", ""),
            user=user,
        )
    else:
        raise SetupError("", "Nothing was chosen.")
    messages.success(request, "Saved. What waited for it is tried now." if job else "Saved.")


@desk_view("POST", may="settings")
def refresh_company(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Asks again what the company is like: its tax, its closed books."""
    connection, _ = changeable(request, connection_id)
    if not (keeps_books(connection) and connection.usable):
        raise Http404
    try:
        books_setup.refresh_company(connection)
        messages.success(request, "This is what the company is like now.")
    except ProviderError as error:
        messages.warning(request, str(error))
    return back(request)

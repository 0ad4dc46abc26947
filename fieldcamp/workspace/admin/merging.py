"""Merging a client with another one at the desk: choose it, read what will happen, confirm."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from fieldcamp.desk.forms import DeskForm
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.merging import MergePreview, merge_clients, preview_merge
from fieldcamp.workspace.models import Client
from fieldcamp.workspace.selectors import clients
from fieldcamp.workspace.tracking import attributed

SHOWN = 20  # clients to choose from
_LABELS = {
    "email": _("the e-mail address"),
    "phone_number": _("the phone number"),
    "billing_address": _("the billing address"),
    "property_address": _("the address where the work is"),
}


class IntoForm(DeskForm):
    """The client that stays."""

    into = forms.CharField(
        label=_("Client"), max_length=40, error_messages={"required": _("Choose the client that stays.")}
    )


class MergeMixin(ModelAdmin):
    """The page of a merge, the button on a client's page that leads there, and the action on two of the list."""

    actions: Any = ("merge_two",)

    def merge_consequences(self, client: Client, into: Client) -> list[str]:
        """Returns what the person reads before; what is said of the merge itself is in the preview."""
        return []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Returns ours alone: nothing is deleted from the list."""
        return {name: found for name, found in super().get_actions(request).items() if name in self.actions}

    @admin.action(description=_("Merge the two selected clients"), permissions=["change"])
    def merge_two(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
        chosen = list(queryset.order_by("pk")[:3])
        if len(chosen) == 2:
            return HttpResponseRedirect(_page(chosen[1], chosen[0]))
        self.message_user(request, gettext("Select two clients, and no more: one stays."), messages.WARNING)
        return None

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.merge_view)
        return [path("<path:object_id>/merge/", view, name="workspace_client_merge"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Leads from a client that was merged to the one that is left."""
        client = self.get_object(request, unquote(object_id))
        if client is None and (into := self._merged_into(request, unquote(object_id))):
            said = gettext("That client was merged into “{client}”. This is the page of that one.")
            self.message_user(request, said.format(client=into), messages.INFO)
            return HttpResponseRedirect(reverse("admin:workspace_client_change", args=[into.pk]))
        buttons = []
        if client and self.has_change_permission(request):
            label = gettext("Merge with another client…")
            buttons = [{"action": {"label": label, "asks": True, "tone": ""}, "url": _page(client)}]
        extra = {"record_actions": buttons, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    def _merged_into(self, request: HttpRequest, client_id: str) -> Client | None:
        if "\x00" in client_id or not self.has_view_permission(request):
            return None
        rows = desk_user_of(request).scope(Client.objects.filter(pk=client_id, merged_into__deleted_at=None))
        found = rows.select_related("merged_into__parent").first()
        return found.merged_into if found else None

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lets a person choose the client that stays, shows what will happen, and does it on POST."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        client = self.get_object(request, unquote(object_id))
        if client is None:
            raise Http404
        search = request.GET.get("q", "").replace("\x00", "").strip()
        asked = request.POST if request.method == "POST" else request.GET
        form = IntoForm(asked if request.method == "POST" or "into" in asked else None)
        into, preview = None, None
        if form.is_valid():
            into = self.get_object(request, form.cleaned_data["into"])
            preview = _attempt(form, lambda: preview_merge(client, into or Client(workspace_id="")))
        if request.method == "POST" and into and preview:
            with attributed(actor=desk_user_of(request).name):
                merged = _attempt(form, lambda: self._merge(client, into))
            if merged:
                return self._merged(request, client, merged)
        chosen = into if preview and not form.errors else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Merge {client} with another client").format(client=client),
            "client": client,
            "into": chosen,
            "form": form,
            "q": search,
            "sides": _sides(client, chosen) if chosen else [],
            "consequences": _said(preview, client, chosen) + self.merge_consequences(client, chosen)
            if preview and chosen
            else [],
            "other_way": _page(chosen, client) if chosen else "",
            "found": [] if chosen else [(row, _page(client, row)) for row in _found(client, search)],
            "back": reverse("admin:workspace_client_change", args=[client.pk]),
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "admin/workspace/merge.html", context, status=status)

    def _merge(self, client: Client, into: Client) -> Client:
        return merge_clients(workspace=client.workspace, client_id=client.pk, into_id=into.pk)

    def _merged(self, request: HttpRequest, client: Client, into: Client) -> HttpResponse:
        self.log_change(request, into, gettext("{client} was merged into it.").format(client=client))
        said = gettext("“{client}” was merged into “{into}”.").format(client=client, into=into)
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:workspace_client_change", args=[into.pk]))


def _page(client: Client, into: Client | None = None) -> str:
    page = reverse("admin:workspace_client_merge", args=[client.pk])
    return f"{page}?into={into.pk}" if into else page


def _attempt(form: IntoForm, call: Callable[[], Any]) -> Any:
    """Tells at the form what the service refuses; None then."""
    try:
        return call()
    except InvalidFields as error:
        for sentences in error.details.values():
            form.add_error("into", sentences)
    except InvalidTransition as error:
        form.add_error(None, str(error))
    except Client.DoesNotExist:
        form.add_error("into", gettext("There is no such client."))
    return None


def _found(client: Client, search: str) -> list[Client]:
    """Returns the clients to choose from: those that are found, else those that look like this one."""
    rows = clients(workspace=client.workspace, search=search).exclude(pk=client.pk).select_related("parent")
    if not search:
        alike = Q(pk__in=[])
        if client.email:
            alike |= Q(email__iexact=client.email)
        if client.phone_number.get("number"):
            alike |= Q(phone_number__number=client.phone_number["number"])
        if client.company_name:
            alike |= Q(company_name__iexact=client.company_name)
        if client.last_name:
            alike |= Q(last_name__iexact=client.last_name, first_name__istartswith=client.first_name[:1])
        rows = rows.filter(alike)
    return list(rows.order_by("company_name", "last_name", "first_name", "pk")[:SHOWN])


def _sides(client: Client, into: Client) -> list[tuple[str, str, str]]:
    """Returns what is known of both: a label, and the two values."""
    rows = (
        (gettext("Name"), str(client), str(into)),
        (gettext("Email"), client.email, into.email),
        (gettext("Phone"), _phone(client), _phone(into)),
        (gettext("Address"), client.address, into.address),
        (gettext("Stage"), client.stage, into.stage),
    )
    return [(label, one or "–", other or "–") for label, one, other in rows]


def _phone(client: Client) -> str:
    number = client.phone_number or {}
    return f"{number.get('countryCode', '')} {number.get('number', '')}".strip()


def _said(preview: MergePreview, client: Client, into: Client) -> list[str]:
    """Returns the preview in sentences."""
    texts = {
        "visits": ngettext("{number} visit moves", "{number} visits move", preview.counts["visits"]),
        "invoices": ngettext("{number} invoice moves", "{number} invoices move", preview.counts["invoices"]),
        "payments": ngettext("{number} payment moves", "{number} payments move", preview.counts["payments"]),
        "places": ngettext("{number} place moves", "{number} places move", preview.counts["places"]),
    }
    said = []
    for kind, text in texts.items():
        number, names = preview.counts[kind], preview.names[kind]
        if number:
            more = gettext(", and more") if number > len(names) else ""
            said.append(f"{text.format(number=number)}: {', '.join(names)}{more}.")
    if preview.counts["invoices"]:
        said.append(gettext("Invoices that were sent keep the name and address that they were sent to."))
    if preview.taken_over:
        lacking = ", ".join(str(_LABELS[name]) for name in preview.taken_over)
        said.append(gettext("“{into}” takes over what it lacks: {names}.").format(into=into, names=lacking))
    said.append(
        gettext("“{client}” disappears from the lists; who looks for it is led to “{into}”. This cannot be undone.")
        .format(client=client, into=into)
    )  # fmt: skip
    return said

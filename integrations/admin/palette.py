"""What the palette offers: records, accounts and jobs that are found, places of the menu, and what the role may do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from unfold.sites import UnfoldAdminSite

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.workspace.models import Client, Item, Visit
from integrations.admin.buttons import rights_at
from integrations.admin.jobs import provider_label
from integrations.admin.navigation import sidebar
from integrations.models import USABLE, Connection
from integrations.providers import PROVIDERS
from integrations.selectors.finding import LONGEST, SearchResults, find


@dataclass(frozen=True)
class Entry:
    """One line: where it leads, or what it does (then it posts)."""

    title: str
    detail: str
    url: str
    icon: str
    post: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    entries: Sequence[Entry]


def palette(request: HttpRequest, search: str) -> list[Group]:
    """Returns what the search finds, in groups; for no search what one can do and where one can go."""
    search = search[:LONGEST].strip()
    desk_user = desk_user_of(request)
    named = [name for name, provider in PROVIDERS.items() if search and search.lower() in provider.label.lower()]
    groups = [
        *_records(find(desk_user, search, named)),
        Group(gettext("Do"), _matching(_deeds(request, desk_user), search)),
    ]
    groups.append(Group(gettext("Go to"), _matching(_places(request), search)))
    return [group for group in groups if group.entries]


def _matching(entries: Iterable[Entry], search: str) -> list[Entry]:
    sought = search.lower().split()
    return [entry for entry in entries if all(word in f"{entry.title} {entry.detail}".lower() for word in sought)]


def _places(request: HttpRequest) -> Iterable[Entry]:
    for group in sidebar(request):
        for item in group["items"]:
            yield Entry(str(item["title"]), str(group["title"]), str(item["link"]), item["icon"])
    yield Entry(gettext("Your login"), gettext("Password, second factor, devices"), reverse("signin:security"), "lock")


def _deeds(request: HttpRequest, desk_user: DeskUser) -> Iterable[Entry]:
    """Yields what the role may do from anywhere; what needs a look at its page first leads there."""
    rights = rights_at(desk_user)
    rows = Connection.objects.filter(workspace=desk_user.workspace, state__in=USABLE)
    usable = set(rows.values_list("integration", flat=True).distinct()) if desk_user.workspace else set()
    for name, provider in PROVIDERS.items():
        if name in usable and desk_user.may("sync"):
            title = gettext("Sync {vendor} now").format(vendor=provider.label)
            yield Entry(title, "", reverse("integrations:trigger", args=[provider.slug]), "sync", post=True)
    for name, provider in PROVIDERS.items():
        if rights.may_connect_to(name):
            title = gettext("Connect {vendor}").format(vendor=provider.label)
            yield Entry(title, "", reverse("integrations:connect", args=[provider.slug]), "link")
        if name in usable and desk_user.may("settings"):
            title = gettext("Settings of {vendor}").format(vendor=provider.label)
            yield Entry(title, "", reverse("integrations:integration_settings", args=[provider.slug]), "settings")
    site = _site()
    for model, title, icon in (
        (Visit, gettext("New visit"), "event"),
        (Client, gettext("New client"), "contacts"),
        (Item, gettext("New item"), "sell"),
    ):
        if site.get_model_admin(model).has_add_permission(request):
            yield Entry(title, "", reverse(f"admin:workspace_{model._meta.model_name}_add"), icon)


def _site() -> UnfoldAdminSite:
    from django.contrib import admin

    return admin.site


def _records(found: SearchResults) -> Iterable[Group]:
    yield Group(gettext("Clients"), [_record(row, "contacts", row.email) for row in found.clients])
    yield Group(
        gettext("Visits"),
        [
            _record(row, "event", _said(row.client, _moment(row.scheduled_start), row.technician))
            for row in found.visits
        ],
    )
    yield Group(
        gettext("Invoices"), [_record(row, "receipt_long", _said(row.client, _day(row.date))) for row in found.invoices]
    )
    yield Group(
        gettext("Payments"), [_record(row, "payments", _said(row.client, row.reference)) for row in found.payments]
    )
    yield Group(gettext("Items"), [_record(row, "sell", row.sku) for row in found.items])
    yield Group(gettext("Team"), [_record(row, "group", row.email) for row in found.team])
    yield Group(
        gettext("Accounts"),
        [
            _record(
                row,
                "link",
                _said(provider_label(row.integration), row.member, row.get_state_display()),
                row.account_name,
            )
            for row in found.accounts
        ],
    )
    yield Group(
        gettext("Jobs"),
        [
            _record(
                row, "sync", row.get_status_display(), _said(provider_label(row.integration), _moment(row.created_at))
            )
            for row in found.jobs
        ],
    )


def _record(row: Any, icon: str, detail: str, title: str = "") -> Entry:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return Entry(title or str(row), detail, reverse(name, args=[row.pk]), icon)


def _said(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)


def _moment(moment: Any) -> str:
    return formats.moment(moment) if moment else ""


def _day(date: Any) -> str:
    return formats.day(date)

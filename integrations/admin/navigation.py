"""The sidebar, and the badge that says that nothing here is real."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import desk_user_of
from integrations.admin.first_page import stops_at


def environment(request: HttpRequest) -> list[str] | None:
    return [gettext("Sandbox"), "warning"] if settings.SANDBOX_URL else None


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Returns the entries that the role may open."""
    desk_user = desk_user_of(request)
    item = _item(request)
    groups: list[dict[str, Any]] = [
        {
            "title": _("Integrations"),
            "items": [
                item(_("Dashboard"), "dashboard", "index") | _badge(request),
                {
                    "title": _("Calendar"),
                    "icon": "calendar_month",
                    "link": reverse("integrations:agenda"),
                    "active": request.path.startswith(reverse("integrations:agenda")),
                },
                item(_("Jobs"), "sync", "integrations_syncjob_changelist"),
                item(_("Connections"), "link", "integrations_connection_changelist"),
                item(_("All problems"), "error", "integrations_problem_changelist"),
                {
                    "title": _("Conflicts"),
                    "icon": "compare_arrows",
                    "link": reverse("integrations:conflicts"),
                    "active": request.path == reverse("integrations:conflicts"),
                },
                item(_("Webhooks"), "webhook", "webhooks_webhookendpoint_changelist"),
                item(_("Events"), "bolt", "webhooks_webhookevent_changelist"),
            ],
        },
        {
            "title": _("Schedule"),
            "items": [
                item(_("Visits"), "event", "workspace_visit_changelist"),
                item(_("Clients"), "contacts", "workspace_client_changelist"),
                item(_("Team"), "group", "workspace_member_changelist"),
                item(_("Blocked times"), "event_busy", "workspace_blockedtime_changelist"),
            ],
        },
    ]
    groups.append(
        {
            "title": _("Money"),
            "items": [
                item(_("Invoices"), "receipt_long", "workspace_invoice_changelist"),
                item(_("Payments"), "payments", "workspace_payment_changelist"),
                item(_("Items"), "sell", "workspace_item_changelist"),
                item(_("Tax rates"), "percent", "workspace_taxrate_changelist"),
            ],
        }
    )
    notices = reverse("integrations:notices")
    own: list[dict[str, Any]] = [
        {"title": _("Notices"), "icon": "notifications", "link": notices, "active": request.path.startswith(notices)}
    ]
    if desk_user.may("settings"):
        own.append(item(_("Company"), "storefront", "workspace_workspace_changelist"))
    if desk_user.may("keys"):
        own.append(item(_("API keys"), "key", "api_apikey_changelist"))
    if desk_user.may("connect"):
        own.append(item(_("Connect links"), "forward_to_inbox", "integrations_connectlink_changelist"))
        own.append(item(_("Return addresses"), "keyboard_return", "integrations_returnaddress_changelist"))
    if desk_user.may("settings"):
        own.append(item(_("Audit trail"), "history", "workspace_auditentry_changelist"))
    groups.append({"title": _("Settings"), "separator": True, "items": own})
    if desk_user.is_superuser:
        groups.append(
            {
                "title": _("Site"),
                "separator": True,
                "items": [
                    item(_("Logins"), "person", "auth_user_changelist"),
                    item(_("Queue"), "pending", "django_q_ormq_changelist"),
                    item(_("Failed tasks"), "report", "django_q_failure_changelist"),
                ],
            }
        )
    return groups


def _badge(request: HttpRequest) -> dict[str, Any]:
    """Returns how many things stop work, as the first page says; nothing where none does."""
    workspace = desk_user_of(request).workspace
    if workspace is None:
        return {}
    stops = stops_at(request, workspace)
    return {"badge": str(stops), "badge_variant": "danger"} if stops else {}


def _item(request: HttpRequest) -> Callable[[Any, str, str], dict[str, Any]]:
    def make(title: Any, icon: str, name: str) -> dict[str, Any]:
        link = reverse(f"admin:{name}")
        active = request.path == link if name == "index" else request.path.startswith(link)
        return {"title": title, "icon": icon, "link": link, "active": active}

    return make

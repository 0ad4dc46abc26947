"""The sidebar, and the badge that says that nothing here is real."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from fieldcamp.desk.seat import seat_of


def environment(request: HttpRequest) -> list[str] | None:
    return ["Sandbox", "warning"] if settings.SANDBOX_URL else None


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Only what the role may open."""
    seat = seat_of(request)
    item = _item(request)
    groups: list[dict[str, Any]] = [
        {
            "title": "Integrations",
            "items": [
                item("Dashboard", "dashboard", "index"),
                item("Jobs", "sync", "integrations_syncjob_changelist"),
                item("Connections", "link", "integrations_connection_changelist"),
                item("Problems", "error", "integrations_issue_changelist"),
                {
                    "title": "Conflicts",
                    "icon": "compare_arrows",
                    "link": reverse("integrations:conflicts"),
                    "active": request.path == reverse("integrations:conflicts"),
                },
            ],
        },
        {
            "title": "Workspace",
            "items": [
                item("Visits", "event", "workspace_visit_changelist"),
                item("Clients", "contacts", "workspace_client_changelist"),
                item("Team", "group", "workspace_member_changelist"),
                item("Blocked times", "event_busy", "workspace_blockedtime_changelist"),
            ],
        },
    ]
    groups.append(
        {
            "title": "Money",
            "items": [
                item("Invoices", "receipt_long", "workspace_invoice_changelist"),
                item("Payments", "payments", "workspace_payment_changelist"),
                item("Items", "sell", "workspace_item_changelist"),
                item("Tax rates", "percent", "workspace_taxrate_changelist"),
            ],
        }
    )
    own = []
    if seat.may("settings"):
        own.append(item("Company", "storefront", "workspace_workspace_changelist"))
    if seat.may("keys"):
        own.append(item("API keys", "key", "api_apikey_changelist"))
    if seat.may("settings"):
        own.append(item("Audit trail", "history", "workspace_auditentry_changelist"))
    if own:
        groups.append({"title": "Settings", "separator": True, "items": own})
    if seat.is_superuser:
        groups.append(
            {
                "title": "Site",
                "separator": True,
                "items": [
                    item("Logins", "person", "auth_user_changelist"),
                    item("Queue", "pending", "django_q_ormq_changelist"),
                    item("Failed tasks", "report", "django_q_failure_changelist"),
                ],
            }
        )
    return groups


def _item(request: HttpRequest) -> Callable[[str, str, str], dict[str, Any]]:
    def make(title: str, icon: str, name: str) -> dict[str, Any]:
        link = reverse(f"admin:{name}")
        active = request.path == link if name == "index" else request.path.startswith(link)
        return {"title": title, "icon": icon, "link": link, "active": active}

    return make

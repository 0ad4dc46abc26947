"""What has to be there before a POST of the reference can do anything: rows of the company, and a body where the one of
the reference speaks of what it has not."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.invoicing import create_invoice
from fieldcamp.workspace.models import Client, Visit
from integrations.models import Connection, ConnectionState, Problem, ReturnAddress
from tests.integrations import build
from tests.integrations.admin.conftest import Company

Body = dict[str, Any] | None
NOBODY_THERE = "http://127.0.0.1:9/hooks"  # the port that discards: no name is looked up, nobody is called
ADDRESS_OF_THE_EXAMPLE = "https://app.example.com/connected"


def a_job_that_waits(ours: Company) -> None:
    ours.job = build.job(ours.workspace)


def a_paused_connection(ours: Company) -> None:
    paused = {"state": ConnectionState.PAUSED, "paused_by_person": True}
    Connection.objects.filter(pk=ours.connection.pk).update(**paused)


def an_ignored_problem(ours: Company) -> None:
    Problem.objects.filter(pk=ours.conflict.pk).update(ignored_at=build.NOW)


def a_record_to_try_again(ours: Company) -> None:
    rejected = {"code": "RECORD_REJECTED", "data": {"reason": "inactive_reference"}}
    Problem.objects.filter(pk=ours.conflict.pk).update(**rejected)


def all_to_try_again(ours: Company) -> Body:
    a_record_to_try_again(ours)
    return {"cause": "inactive_reference", "integration": build.GOOGLE, "expected": 1}


def all_conflicts(ours: Company) -> Body:
    return {"cause": "conflict", "integration": build.GOOGLE, "expected": 1, "choice": "keep_fieldcamp"}


def a_registered_address(ours: Company) -> None:
    ReturnAddress.objects.create(workspace=ours.workspace, url=ADDRESS_OF_THE_EXAMPLE)


def another_client(ours: Company) -> Body:
    return {"into": Client.objects.create(workspace=ours.workspace, company_name="The same again").pk}


def each_change_of_clients(ours: Company) -> Body:
    leaves = Client.objects.create(workspace=ours.workspace, company_name="Leaves")
    return each_change({"firstName": "Ada"}, ours.client.pk, {"stage": "customer"}, leaves.pk)


def each_change_of_visits(ours: Company) -> Body:
    start, end = ours.visit.scheduled_start, ours.visit.scheduled_end
    dropped = Visit.objects.create(
        workspace=ours.workspace, client=ours.client, title="Dropped", scheduled_start=start, scheduled_end=end
    )
    new = {"clientId": ours.client.pk, "title": "Boiler", "scheduledStart": start, "scheduledEnd": end}
    return each_change(new, ours.visit.pk, {"notes": "Key at the door"}, dropped.pk)


def each_change(new: dict[str, Any], changed: str, changes: dict[str, Any], deleted: str) -> Body:
    """All of it or nothing: what is answered well was done to each record."""
    items = [
        {"op": "create", "data": new},
        {"op": "update", "id": changed, "data": changes},
        {"op": "delete", "id": deleted},
    ]
    return {"atomic": True, "items": items}


def a_draft(ours: Company) -> None:
    ours.invoice = an_invoice(ours, send=False)


def a_bill_that_nobody_paid(ours: Company) -> None:
    ours.invoice = an_invoice(ours, send=True)


def an_invoice(ours: Company, *, send: bool) -> Any:
    lines = [{"item_id": ours.item.pk, "unit_price": Decimal(100)}]
    return create_invoice(workspace=ours.workspace, client_id=ours.client.pk, lines=lines, send=send)


def a_webhook(**fields: Any) -> Callable[[Company], None]:
    return lambda ours: WebhookEndpoint.objects.filter(pk=ours.webhook.pk).update(**fields) and None


def a_failed_delivery(ours: Company) -> None:
    WebhookDelivery.objects.filter(pk=ours.delivery.pk).update(state=WebhookDelivery.State.FAILED)


def an_address_without_a_name(ours: Company) -> Body:
    return {"url": NOBODY_THERE, "events": ["visit.*"]}


# By the operation's id; the others need nothing but the company.
READY: dict[str, Callable[[Company], Body]] = {
    "cancel_job": a_job_that_waits,
    "resume_connection": a_paused_connection,
    "unignore_problem": an_ignored_problem,
    "retry_problem": a_record_to_try_again,
    "retry_problems": all_to_try_again,
    "answer_problems": all_conflicts,
    "create_connect_link": a_registered_address,
    "merge_client": another_client,
    "batch_clients": each_change_of_clients,
    "batch_visits": each_change_of_visits,
    "send_invoice": a_draft,
    "void_invoice": a_bill_that_nobody_paid,
    "create_webhook": an_address_without_a_name,
    "enable_webhook": a_webhook(status=WebhookEndpoint.Status.DISABLED),
    "resume_webhook": a_webhook(status=WebhookEndpoint.Status.PAUSED),
    "test_webhook": a_webhook(url=NOBODY_THERE),
    "replay_webhook": a_failed_delivery,
}

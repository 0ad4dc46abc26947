"""The pages of webhooks with many rows: the same queries."""

import pytest
from django.utils import timezone

from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.monitoring import PAGE, SAMPLE, DayNumbers, of_last_day, p95_of
from tests.fieldcamp.webhooks.admin.conftest import ENDPOINTS, EVENTS
from tests.integrations.admin.conftest import pages_of


def fill(company, endpoint, count: int) -> None:
    """More deliveries than a page shows, some of each state."""
    now, workspace = timezone.now(), company.workspace
    events = WebhookEvent.objects.bulk_create(
        WebhookEvent(workspace=workspace, type="visit.updated", record_id=company.visit.pk, body=b"{}", source="api",
                     sequence=2 + n, fanned_out_at=now)
        for n in range(count)
    )  # fmt: skip
    deliveries = WebhookDelivery.objects.bulk_create(
        WebhookDelivery(workspace=workspace, endpoint=endpoint, event=event, attempts=1, last_status=500, next_at=now,
                        state=("delivered", "failed", "pending", "skipped")[n % 4])
        for n, event in enumerate(events)
    )  # fmt: skip
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(delivery=delivery, number=1, at=now, ms=n + 1, status=500)
        for n, delivery in enumerate(deliveries)
    )


@pytest.mark.slow
def test_no_page_asks_more_with_more_rows(desk, ours, django_assert_max_num_queries):
    addresses = {name: pages_of(ours)[name] for name in ("webhook", "delivery", "event", "delete webhook", "visit")}
    addresses |= {"list": ENDPOINTS, "events": EVENTS, "dashboard": "/admin/"}
    WebhookEndpoint.objects.update(status="failing", failing_since=timezone.now())
    WebhookDelivery.objects.update(state="failed")
    browser = desk()

    def counts() -> dict[str, int]:
        found = {}
        for name, address in addresses.items():
            with django_assert_max_num_queries(45) as queries:
                assert browser.get(address).status_code == 200
            found[name] = len(queries)
        return found

    before = counts()
    fill(ours, ours.webhook, PAGE + 10)
    for number in range(4):
        other = WebhookEndpoint.objects.create(
            workspace=ours.workspace, url=f"https://{number}.example", events=["*"], status="failing", secret="whsec_"
        )
        fill(ours, other, 8)
    assert {name: count - before[name] for name, count in counts().items() if count > before[name]} == {}


def test_numbers_are_each_endpoints_own(ours, theirs):
    WebhookDelivery.objects.all().delete()
    fill(ours, ours.webhook, 100)
    assert of_last_day([ours.webhook, theirs.webhook]) == {
        ours.webhook.pk: DayNumbers(25, 25, 25),
        theirs.webhook.pk: DayNumbers(),
    }
    assert p95_of([ours.webhook, theirs.webhook]) == {ours.webhook.pk: 95}


def test_the_latest_deliveries_say_how_fast_an_endpoint_is(ours):
    fill(ours, ours.webhook, SAMPLE + 20)
    WebhookDelivery.objects.filter(tries__ms__lte=20).update(created_at=timezone.now().replace(year=2020))
    assert p95_of([ours.webhook]) == {ours.webhook.pk: 20 + SAMPLE * 95 // 100}

"""What the desk reads of webhooks: numbers of a day, what waits, a page of deliveries. Each a constant number of
queries, however many deliveries there are."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, F, Func, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.workspace.models import Workspace

DAY = dt.timedelta(days=1)
PAGE = 50
# How many of an endpoint's last attempts say how fast it answers.
SAMPLE = 200
State = WebhookDelivery.State
OPEN = (State.PENDING, State.SENDING)


class _Listed(Func):
    """All values of a column as one text, with commas."""

    function = "GROUP_CONCAT"
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "STRING_AGG(CAST(%(expressions)s AS text), ',')"
        return self.as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True)
class DayNumbers:
    """What became of the events of the last 24 hours at one endpoint, tests left out."""

    delivered: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.delivered + self.failed + self.waiting


def of_last_day(endpoints: Sequence[WebhookEndpoint]) -> dict[str, DayNumbers]:
    """Returns the numbers of each endpoint by its id; one query."""
    keys = [each.pk for each in endpoints]
    rows = (
        WebhookDelivery.objects.filter(endpoint__in=keys, created_at__gt=timezone.now() - DAY, event__is_test=False)
        .order_by()
        .values("endpoint_id")
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)),
            failed=Count("pk", filter=Q(state=State.FAILED)),
            waiting=Count("pk", filter=Q(state__in=OPEN)),
        )
    )
    found = {row["endpoint_id"]: DayNumbers(row["delivered"], row["failed"], row["waiting"]) for row in rows}
    return {key: found.get(key, DayNumbers()) for key in keys}


def p95_of(endpoints: Sequence[WebhookEndpoint]) -> dict[str, int]:
    """Returns how long 95 of 100 of the last attempts took at most, in milliseconds, by endpoint; one query."""
    latest = (
        WebhookDelivery.objects.filter(endpoint=OuterRef(OuterRef("pk")), attempts__gt=0)
        .order_by("-created_at", "-pk")
        .values("pk")[:SAMPLE]
    )
    tries = DeliveryAttempt.objects.filter(delivery__in=latest).order_by()
    listed = Subquery(tries.annotate(listed=_Listed(F("ms"))).values("listed"))
    rows = WebhookEndpoint.objects.filter(pk__in=[each.pk for each in endpoints]).annotate(listed=listed)
    found = {}
    for pk, text in rows.values_list("pk", "listed"):
        if text:
            times = sorted(int(each) for each in text.split(","))
            found[pk] = times[(len(times) * 95 - 1) // 100]
    return found


def waiting_of(endpoint: WebhookEndpoint) -> int:
    """Returns how many deliveries wait or are under way."""
    return endpoint.deliveries.filter(state__in=OPEN).count()


def next_of(endpoint: WebhookEndpoint) -> dt.datetime | None:
    """Returns when the next waiting delivery is tried."""
    waiting = endpoint.deliveries.filter(state=State.PENDING).exclude(next_at=None).order_by("next_at")
    return waiting.values_list("next_at", flat=True).first()


def last_failure_of(endpoint: WebhookEndpoint) -> WebhookDelivery | None:
    """Returns the latest delivery that was tried without success."""
    return _without_success(endpoint.deliveries.all()).first()


def has_failed(endpoint: WebhookEndpoint) -> bool:
    """Returns whether anything was given up, or not sent at all."""
    return endpoint.deliveries.filter(state__in=(State.FAILED, State.SKIPPED)).exists()


@dataclass(frozen=True)
class LogPage:
    """Some deliveries, the latest first; `older` names the last one where there are more."""

    rows: list[WebhookDelivery]
    older: str = ""


def deliveries(
    endpoint: WebhookEndpoint, *, state: str = "", event_type: str = "", record: str = "", before: str = ""
) -> LogPage:
    """Returns a page of the endpoint's log; `before` is the id of the delivery that the page before has ended with."""
    rows = endpoint.deliveries.select_related("event").defer("event__body")
    if state:
        rows = rows.filter(state=state)
    if event_type:
        rows = rows.filter(event__type=event_type)
    if record:
        # Few events are about one record: the database is to begin with them.
        about = WebhookEvent.objects.filter(workspace_id=endpoint.workspace_id, record_id=record)
        rows = rows.filter(event__in=list(about.values_list("pk", flat=True)[:1000]))
    last = endpoint.deliveries.filter(pk=before).values_list("created_at", flat=True).first() if before else None
    if last:
        rows = rows.filter(Q(created_at__lt=last) | Q(created_at=last, pk__lt=before))
    found = list(rows.order_by("-created_at", "-pk")[: PAGE + 1])
    return LogPage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else "")


def sent_of(record_id: str, workspace_id: str) -> int:
    """Returns how many webhooks have been told of the record; one query."""
    rows = WebhookDelivery.objects.filter(
        event__workspace_id=workspace_id, event__record_id=record_id, endpoint__deleted_at=None, state=State.DELIVERED
    )
    return rows.order_by().values("endpoint").distinct().count()


def in_trouble(workspace: Workspace) -> list[WebhookEndpoint]:
    """Returns the endpoints that somebody should look at: failing ones, and disabled ones. A workspace has few."""
    status = WebhookEndpoint.Status
    rows = WebhookEndpoint.objects.alive().filter(workspace=workspace, status__in=(status.FAILING, status.DISABLED))
    return list(rows.defer("secret", "previous_secret"))


def waiting_of_all(endpoints: Sequence[WebhookEndpoint]) -> dict[str, int]:
    """Returns how many deliveries wait, by endpoint; one query."""
    rows = WebhookDelivery.objects.filter(endpoint__in=endpoints, state__in=OPEN).order_by().values("endpoint_id")
    return dict(rows.annotate(number=Count("pk")).values_list("endpoint_id", "number"))


def last_failures_of(endpoints: Sequence[WebhookEndpoint]) -> dict[str, WebhookDelivery]:
    """Returns the latest delivery that was tried without success, by endpoint; two queries."""
    tried = _without_success(WebhookDelivery.objects.filter(endpoint=OuterRef("pk")))
    rows = WebhookEndpoint.objects.filter(pk__in=[each.pk for each in endpoints])
    keys = [pk for pk in rows.annotate(last=Subquery(tried.values("pk")[:1])).values_list("last", flat=True) if pk]
    return {each.endpoint_id: each for each in WebhookDelivery.objects.filter(pk__in=keys)}


def _without_success(deliveries: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    tried = deliveries.filter(attempts__gt=0, state__in=(State.PENDING, State.SENDING, State.FAILED, State.SKIPPED))
    return tried.order_by("-created_at", "-pk")

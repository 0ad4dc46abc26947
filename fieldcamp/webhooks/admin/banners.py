"""What the dashboard says of webhooks that do not arrive."""

from dataclasses import dataclass

from fieldcamp.desk.users import DeskUser
from fieldcamp.webhooks import monitoring
from fieldcamp.webhooks.admin import words
from fieldcamp.webhooks.models import WebhookEndpoint


@dataclass(frozen=True)
class Banner:
    endpoint: WebhookEndpoint
    host: str
    sentence: str


def banners(desk_user: DeskUser) -> list[Banner]:
    """Returns one for each endpoint of the shown company that fails or was disabled; two queries at most."""
    if desk_user.workspace is None:
        return []
    troubled = monitoring.in_trouble(desk_user.workspace)
    waiting = monitoring.waiting_of_all(troubled)
    failures = monitoring.last_failures_of(troubled)
    return [
        Banner(
            each,
            words.plain_host(each),
            words.sentence(each, waiting=waiting.get(each.pk, 0), failure=failures.get(each.pk)),
        )
        for each in troubled
    ]

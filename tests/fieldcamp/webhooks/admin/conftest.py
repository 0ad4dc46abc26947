"""The desk's company and its people; addresses are judged as in the demo, without looking their names up."""

import re
from collections.abc import Callable

import pytest

from tests.integrations.admin.conftest import *  # noqa: F403

ENDPOINTS, DELIVERIES, EVENTS = (f"/admin/webhooks/webhook{name}/" for name in ("endpoint", "delivery", "event"))
NEW = {
    "url": "https://hooks.example.com/in",
    "description": "Board",
    "preset": "schedule",
    "sources": "all",
    "only_changed": "on",
    "payload": "full",
    "max_per_second": "20",
}


@pytest.fixture(autouse=True)
def no_lookups(settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def page(ours) -> Callable[..., str]:
    """The address of the endpoint's page, or of a part of it."""
    return lambda part="change": f"{ENDPOINTS}{ours.webhook.pk}/{part}/"


def text_of(response) -> str:
    """What a page says, in one line."""
    html = response.content.decode()
    main = html.partition("<main")[2] or html
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()

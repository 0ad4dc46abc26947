"""An event's page at Google has the address that the API gives for it."""

from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.providers.google_calendar.pages import event_page


@pytest.mark.parametrize(
    ("calendar", "named"),
    [("dana@example.com", "dana@example.com"), ("dana@gmail.com", "dana@m"),
     ("abc@group.calendar.google.com", "abc@g"), ("x@gmail.com.example.com", "x@gmail.com.example.com")],
)  # fmt: skip
def test_the_address_names_the_event_and_its_calendar(calendar, named, settings):
    settings.SANDBOX_URL = ""
    address = urlsplit(event_page(calendar, "2tdcb4eepthqj01qltpi4txfcs", "dana@example.com"))
    assert (address.hostname, address.path) == ("www.google.com", "/calendar/event")
    [eid] = parse_qs(address.query)["eid"]
    assert urlsafe_b64decode(eid + "=" * (-len(eid) % 4)).decode() == f"2tdcb4eepthqj01qltpi4txfcs {named}"


def test_in_the_sandbox_it_is_the_sandboxs(settings):
    settings.SANDBOX_URL, settings.GOOGLE_API_URL = "http://127.0.0.1:8001", "http://127.0.0.1:8001/google/api"
    page = event_page("c&d@group.calendar.google.com", "e1", "dana@google.test")
    assert page == (
        "http://127.0.0.1:8001/google/ui/dana@google.test/event?calendar=c%26d%40group.calendar.google.com&event=e1"
    )

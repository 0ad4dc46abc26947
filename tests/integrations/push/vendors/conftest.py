"""A technician's account at the simulated vendors, whose pushes come to the product."""

import pytest
from django.test import Client

from tests.integrations.engine import *  # noqa: F403
from tests.integrations.push.rounds import round
from tests.integrations.sync.google import Google
from tests.integrations.sync.outlook import Outlook


def pytest_generate_tests(metafunc):
    """Every test runs for both vendors that have channels; one that names a vendor's fixture only with that one."""
    if "people" in metafunc.fixturenames:
        named = [people for people in (Google, Outlook) if people.__name__.lower() in metafunc.fixturenames]
        metafunc.parametrize("people", named or (Google, Outlook), ids=lambda people: people.vendor, indirect=True)


@pytest.fixture
def listening(dana, vendors, settings):
    """The vendors' posts come to this site, and its channels are open; what was due is done."""
    settings.PUBLIC_URL = "https://sync.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    vendors.deliver_to(Client(enforce_csrf_checks=True))
    round()
    vendors.drain()
    return dana

"""An app that the vendor has not let out of its testing mode."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations.models import ConnectionState, OAuthGrant

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_access_of_an_app_in_testing_ends_after_a_week_and_is_known_to(google, connect, vendors, sync, clock):
    vendors.call("POST", "switches", json={"vendor": "google", "testing": True})
    connection = connect("dana")
    week = timezone.now() + dt.timedelta(days=7)
    assert abs(OAuthGrant.objects.get().refresh_expires_at - week) < dt.timedelta(minutes=1)
    for days in (3, 3):
        assert sync().status == "succeeded"  # each with a token that was made anew
        clock.reach(timezone.now() + dt.timedelta(days=days))
    connection.refresh_from_db()
    assert abs(OAuthGrant.objects.get().refresh_expires_at - week) < dt.timedelta(minutes=1)
    clock.reach(week + dt.timedelta(minutes=1))
    sync()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.NEEDS_RECONNECT

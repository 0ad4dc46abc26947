"""An account's page says when the vendor lets the app in for days only."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations.models import OAuthGrant
from tests.integrations.admin.conftest import pages_of


@pytest.mark.parametrize(("days", "said"), [(7, True), (100, False), (None, False)])
def test_a_short_access_is_explained(desk, ours, days, said):
    ends = timezone.now() + dt.timedelta(days=days) if days else None
    OAuthGrant.objects.filter(connection=ours.connection).update(refresh_expires_at=ends)
    page = desk("staff").get(pages_of(ours)["connection"]).content.decode()
    assert ("is in a testing mode at Google Calendar" in page) == said

"""An account's page says when the vendor lets the app in for days only."""

import datetime as dt

from django.utils import timezone

from integrations.models import OAuthGrant
from tests.integrations.admin.conftest import pages_of


def test_a_short_access_is_explained(desk, ours):
    for days in (7, 100):
        OAuthGrant.objects.update(refresh_expires_at=timezone.now() + dt.timedelta(days=days))
        page = desk("staff").get(pages_of(ours)["connection"]).content.decode()
        assert ("is in a testing mode at Google Calendar" in page) == (days == 7)

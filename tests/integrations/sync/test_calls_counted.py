"""What an account's calls of a day come to, as its vendor counts them, and what the counting costs."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.models import DailyCalls, ProviderCalls

pytestmark = pytest.mark.django_db


def test_each_part_of_a_batch_is_a_call(dana, google, outlook, sync, make_visits, vendors):
    make_visits(dana.member, 5)
    vendors.forget_requests()
    DailyCalls.objects.all().delete()
    assert sync().pushed == 5
    counted = DailyCalls.objects.get(connection=dana)
    assert counted.writes == 1  # one batch
    assert counted.counted == counted.reads + 5


@pytest.mark.slow
def test_a_job_writes_its_calls_down_once(dana, google, sync, make_visits):
    make_visits(dana.member, 3)
    sync()
    ProviderCalls.objects.all().delete()
    with CaptureQueriesContext(database) as captured:
        sync()
    tables = [table._meta.db_table for table in (DailyCalls, ProviderCalls)]
    writes = [query["sql"] for query in captured if any(f"INSERT INTO {table}" in query["sql"] for table in tables)]
    assert len(writes) == 2  # the day's row, and that of the status 200
    assert ProviderCalls.objects.get(status="200").count >= 1

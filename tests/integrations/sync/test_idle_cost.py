"""What an account costs the database when there is nothing to do: that is most of all runs."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.models import JobPart

pytestmark = pytest.mark.django_db
NO_QUERY = ("SAVEPOINT", "RELEASE")
# Of one account with one calendar: whose job it is and whether the account may be used (once before the provider is
# asked, once behind it), its streams and secret, the listing's place, and what is open.
MOST = 19


def asked(sync) -> list[str]:
    with CaptureQueriesContext(database) as captured:
        job = sync()
    assert (job.status, job.pulled, job.pushed, job.failed) == ("succeeded", 0, 0, 0)
    return [query["sql"] for query in captured if not query["sql"].startswith(NO_QUERY)]


@pytest.mark.slow
def test_an_account_with_nothing_to_do_costs_a_few_queries(memory, dana, connect, sync, make_visits):
    make_visits(dana.member, 3)
    sync()
    sync()
    alone = asked(sync)
    lee = connect("lee")
    make_visits(lee.member, 3)
    sync()
    sync()
    both = asked(sync)
    assert JobPart.objects.filter(status=JobPart.Status.DONE, connection=lee).count() == 3
    own = len(both) - len(alone)
    assert 0 < own <= MOST, "\n".join(both)
    assert not any(sql.startswith('UPDATE "integrations_link"') for sql in both)

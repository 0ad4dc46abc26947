"""A calendar that comes back empty: its events are not all made once more before a person says so."""

import pytest

from integrations.models import Hold, Link
from integrations.services.decisions import decide_hold
from tests.integrations.engine import finish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.mark.parametrize(("decision", "events"), [("reject", 13), ("confirm", 1)])
def test_events_that_are_all_gone_are_a_question(memory, dana, person, sync, make_visits, admin_user, decision, events):
    make_visits(dana.member, 12)
    sync()
    person.vendors.events(person.account, person.main).clear()
    make_visits(dana.member, 1, title="New")  # what is new here is made without a question
    for mode in ("full", "full"):
        job = sync(mode=mode)
    assert job.skipped == 13 and len(person.ours()) == 1
    hold = Hold.objects.get()
    assert (hold.removals, hold.of) == (12, 12)
    finish(decide_hold(hold=hold, decision=decision, user=admin_user))
    assert len(person.ours()) == events
    assert Link.objects.live().filter(kind="visit").count() == events
    quiet = sync()
    assert (quiet.status, quiet.pulled, quiet.pushed) == ("succeeded", 0, 0)

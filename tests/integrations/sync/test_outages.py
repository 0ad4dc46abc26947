"""An hour in which a vendor fails for everybody, as the jobs of twenty accounts of three companies go through it."""

import pytest
from django.core import mail

from integrations.jobs import outages
from integrations.models import Connection, Problem, VendorOutage
from integrations.queue.enqueue import create_job
from integrations.services.connections import set_up, take_grant
from tests.integrations import build
from tests.integrations.engine import finish
from tests.integrations.sync.memory import NAME, Memory

pytestmark = [pytest.mark.django_db, pytest.mark.engine, pytest.mark.slow, pytest.mark.once]
ACCOUNTS = {"Dana": 9, "Lee": 6, "Ravi": 5}


@pytest.fixture
def companies(memory, vendors):
    made = []
    for name, count in ACCOUNTS.items():
        company = build.workspace(name)
        build.owner(company, email=f"owner@{name.lower()}.test")
        for number in range(count):
            account, tokens = Memory.granted(vendors, f"{name}{number}")
            connection = take_grant(workspace=company, integration=NAME, account=account, tokens=tokens, user=None)
            set_up(
                connection=connection, member=build.member(company, email=account.name),
                target_container_id=Memory(vendors, f"{name}{number}").main, busy_container_ids=[],
            )  # fmt: skip
        made.append(company)
    return made


def test_an_hour_in_which_the_vendor_fails_for_everybody(companies, vendors, clock, settings):
    settings.PAUSE_AFTER_FAILURES, settings.OPERATOR_EMAIL = 3, "operators@sync.test"

    def all_sync() -> set[str]:
        jobs = [
            finish(create_job(workspace=company, integration=NAME, triggered_by="schedule", actor="schedule"))
            for company in companies
        ]
        outages.watch(clock.now)
        return {job.status for job in jobs}

    vendors.fault("status", status=503, times=10**6)
    for _ in range(5):
        assert all_sync() == {"failed"}
        clock.move(14 * 60.0)
    assert {each.to[0] for each in mail.outbox} == {
        "operators@sync.test", "owner@dana.test", "owner@lee.test", "owner@ravi.test",
    }  # fmt: skip
    assert len(mail.outbox) == 4 and set(Connection.objects.values_list("state", flat=True)) == {"active"}
    vendors.heal()
    assert all_sync() == {"succeeded"}
    clock.move(16 * 60.0)
    all_sync()
    assert len(mail.outbox) == 8 and VendorOutage.objects.get().closed_at
    assert not Problem.objects.open().exists()

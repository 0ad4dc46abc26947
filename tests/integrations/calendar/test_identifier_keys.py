"""The secret under which strangers' identifiers are known: keys are renewed and lost, and no busy time stands twice."""

import datetime as dt

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime
from integrations.models import ChangeRow, Connection, IdentifierKey, Link, OAuthGrant
from integrations.services.doctor.accounts import unreadable_tokens
from integrations.services.doctor.findings import Weight

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


def busy() -> set[tuple[int, str, dt.datetime]]:
    return set(BlockedTime.objects.values_list("pk", "key", "starts_at"))


@pytest.fixture
def known(dana, person, sync) -> set[str]:
    """What two events that block are known by."""
    soon = timezone.now() + dt.timedelta(days=1)
    person.add("Dentist", soon)
    person.add("Gym", soon + dt.timedelta(hours=3), repeat=("daily", 3))
    sync()
    return set(Link.objects.values_list("remote_id", flat=True))


def quiet(job) -> bool:
    return (job.pulled, job.pushed, job.failed, job.errors) == (0, 0, 0, [])


@pytest.mark.slow
def test_renewed_keys_leave_everything_as_it_is_known(dana, known, sync, settings):
    before, told = busy(), ChangeRow.objects.count()
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.TOKEN_ENCRYPTION_KEYS]
    call_command("rotate_tokens", verbosity=0)
    settings.TOKEN_ENCRYPTION_KEYS, settings.SECRET_KEY = settings.TOKEN_ENCRYPTION_KEYS[:1], "another one"
    assert quiet(sync()) and quiet(sync(mode="full"))
    assert busy() == before and ChangeRow.objects.count() == told
    assert known == set(Link.objects.values_list("remote_id", flat=True))


@pytest.mark.slow
def test_what_was_known_under_a_lost_key_is_read_anew_and_stands_once(dana, known, person, sync, settings, clock):
    times = {found[2] for found in busy()}
    tokens, account_id = OAuthGrant.objects.get(), Connection.objects.get().account_id
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert [found.weight for found in unreadable_tokens()] == [Weight.WRONG, Weight.WRONG]
    OAuthGrant.objects.update(access_token=tokens.access_token, refresh_token=tokens.refresh_token, answer="")
    job = sync()  # it was not connected anew: here is a process that was not restarted with the new keys
    assert {error["code"] for error in job.errors} == {"MISCONFIGURED"}
    assert {found[2] for found in busy()} == times and IdentifierKey.objects.count() == 1
    clock.move(60)
    again = Connection.objects.get()
    again.account_id = account_id
    again.save()
    OAuthGrant.objects.update(granted_at=timezone.now())
    person.add("School", timezone.now() + dt.timedelta(days=9))
    job = sync()
    assert (job.failed, job.errors) == (0, [])
    starts = [found[2] for found in busy()]
    assert len(starts) == len(set(starts)) == len(times) + 1
    assert not known & set(Link.objects.values_list("remote_id", flat=True))
    assert quiet(sync()) and quiet(sync(mode="full"))


@pytest.mark.slow
def test_an_event_that_a_full_listing_leaves_out_is_asked_for_by_its_own_id(dana, known, person, sync):
    event = person.add("Past", timezone.now() + dt.timedelta(days=9))
    sync()
    before = busy()
    person.delete(event.id)
    job = sync(mode="full")
    assert (job.failed, job.errors) == (0, [])
    assert len(busy()) == len(before) - 1

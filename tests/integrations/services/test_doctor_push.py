"""What the doctor says of pushes."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations.models import PushChannel, ReceivedPush, Stream
from integrations.providers import PROVIDERS
from integrations.push.secrets import new_agreement
from integrations.push.switch import refused
from integrations.services.doctor.push import pushes
from tests.integrations import build

pytestmark = pytest.mark.django_db
GOOGLE = "Push from Google Calendar"


@pytest.fixture(autouse=True)
def site(settings):
    settings.PUBLIC_URL = "https://sync.example.com"
    settings.INTUIT_WEBHOOK_VERIFIERS = []
    for app in ("GOOGLE", "MICROSOFT", "INTUIT"):
        setattr(settings, f"{app}_CLIENT", {"client_id": "id", "secret": "secret", "secret_ends": ""})


def found(about: str = GOOGLE) -> list[tuple[str, str]]:
    return [(str(each.weight), each.sentence) for each in pushes() if each.about == about]


def channel(state: str = "live", **fields) -> PushChannel:
    stream = Stream.objects.create(connection=build.connection(build.workspace()), container_id="main")
    return PushChannel.objects.create(
        stream=stream, integration=build.GOOGLE, channel_id=new_agreement()[0], state=state, **fields
    )


def test_vendors_whose_app_is_not_set_are_left_out(settings):
    settings.GOOGLE_CLIENT = {"client_id": "", "secret": "", "secret_ends": ""}
    assert found() == []


def test_how_many_calendars_are_watched_and_when_the_last_push_came():
    channel()
    assert found() == [
        ("fine", "1 calendars are watched at https://sync.example.com/push/google; no push has come in seven days.")
    ]
    ReceivedPush.objects.create(integration=build.GOOGLE, received_at=timezone.now() - dt.timedelta(minutes=4))
    assert "the last push came 4\xa0minutes ago" in found()[0][1]


def test_a_site_without_a_public_address(settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    ((weight, sentence),) = found()
    assert (weight, "no public https address" in sentence) == ("note", True)


def test_channels_that_fail():
    channel(failures=2, reason="Google Calendar did not answer.")
    weight, sentence = found()[0]
    assert (weight, sentence) == (
        "note",
        "The channels of 1 accounts could not be opened or renewed: Google Calendar did not answer.",
    )
    PushChannel.objects.update(failures=5)
    assert found()[0][0] == "wrong"


def test_calendars_of_which_nothing_is_told():
    channel("unsupported")
    assert found()[0] == (
        "note",
        "Of 1 calendars Google Calendar tells nothing, by their kind: they are read by the schedule.",
    )


def test_a_vendor_that_refuses_the_address():
    refused(build.GOOGLE, "not verified", "push.webhookUrlUnauthorized", timezone.now())
    ((weight, sentence),) = found()
    assert (weight, "refuses this site's address" in sentence) == ("wrong", True)


def test_what_an_operator_has_to_enter_at_a_vendor(settings):
    label = f"Push from {PROVIDERS['quickbooks'].label}"
    assert found(label)[0][0] == "note"
    settings.INTUIT_WEBHOOK_VERIFIERS = ["a verifier"]
    assert found(label)[0][0] == "fine"
    build.connection(build.workspace(), integration="quickbooks")
    assert found(label)[0] == ("note", "https://sync.example.com/push/intuit: no push has come in seven days.")

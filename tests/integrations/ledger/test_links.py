"""A write whose answer was lost: what stands there now is taken for ours only where that is proven."""

import pytest

from integrations.kinds import CUSTOMER
from integrations.ledger.links import resolved
from integrations.models import Link
from integrations.records import RemoteRecord
from integrations.sync.state import Action

SENT_AT = "2026-11-22T08:00:00Z"
FIELDS = CUSTOMER.pick({"display_name": "John Smith", "given_name": "John", "family_name": "Smith", "company": ""})


def lost_create() -> Link:
    intent = {"verb": "create", "fields": FIELDS, "at": SENT_AT}
    return Link(kind="customer", record_id="cli_1", remote_id="made-up", intent=intent)


def found(made_at: str) -> RemoteRecord:
    return RemoteRecord("58", "0", "customer", FIELDS, made_with="made-up", made_at=made_at)


@pytest.mark.parametrize("made_at", ["2026-11-22T08:00:03Z", "2026-11-22T07:57:00Z", ""])
def test_what_was_made_since_is_ours(made_at):
    link = lost_create()
    assert resolved(link, found(made_at)) == Action.CREATE_REMOTE
    assert (link.remote_id, link.intent, link.unsettled) == ("58", None, False)


@pytest.mark.parametrize("made_at", ["2026-11-22T07:54:59Z", "2025-11-22T08:00:03Z"])
def test_what_stood_there_before_is_somebody_elses_however_alike(made_at):
    link = lost_create()
    assert resolved(link, found(made_at)) == ""
    assert (link.remote_id, link.base, link.intent) == ("made-up", None, None)

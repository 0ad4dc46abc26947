"""The chain of the audit trail: whatever is done to it in the table shows; what the product itself does holds."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.audit import audit, forget_entries
from fieldcamp.workspace.audit_chain import _digest_of, _seal_of, check, check_all, prune, seal, seal_all
from fieldcamp.workspace.models import AuditChain, AuditEntry
from integrations.jobs import housekeeping

pytestmark = pytest.mark.django_db
CANARY = "Canary Person"


@pytest.fixture
def trail(workspace) -> list[AuditEntry]:
    """Six sealed entries, oldest first."""
    for number in range(6):
        audit("member.updated", workspace_id=workspace.pk, object_name=CANARY, after={"n": number}, actor="Olivia")
    assert check(workspace.pk).waiting == seal(workspace.pk) == 6
    return list(AuditEntry.objects.order_by("pk"))


def change(pk: int, **fields) -> None:
    AuditEntry.objects.filter(pk=pk).update(**fields)


def rewritten(entry: AuditEntry, before: str) -> None:
    """The row is changed by somebody who knows how entries are sealed."""
    entry.actor = "Nobody"
    entry.seal = _seal_of(entry)
    entry.digest = _digest_of(entry, before)
    entry.save()


def swapped(one: AuditEntry, other: AuditEntry) -> None:
    change(one.pk, position=other.position)
    change(other.pk, position=one.position)


def put_in(entry: AuditEntry, **fields) -> None:
    fields = {"pk": None, "_state": type(entry._state)(), **fields}
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.save(force_insert=True)


# What is done, and the place of the entry that is named then: None for one that is not there any more.
DEEDS = {
    "who": (lambda t: change(t[2].pk, actor="Somebody"), 2),
    "what": (lambda t: change(t[2].pk, action="member.created"), 2),
    "whom": (lambda t: change(t[2].pk, object_id="mem_x"), 2),
    "values": (lambda t: change(t[2].pk, after={"n": 7}), 2),
    "when": (lambda t: change(t[2].pk, at=t[2].at + dt.timedelta(seconds=1)), 2),
    "request": (lambda t: change(t[2].pk, request_id="req_x"), 2),
    "caller": (lambda t: change(t[2].pk, caller_request_id="x"), 2),
    "seal and all": (lambda t: rewritten(t[2], t[1].digest), 3),
    "emptied": (lambda t: change(t[2].pk, salt="", actor="[erased]", object_name="[erased]", before={}, after={}), 2),
    "salt": (lambda t: change(t[2].pk, salt=""), 2),
    "first gone": (lambda t: t[0].delete(), 1),
    "middle gone": (lambda t: t[2].delete(), 3),
    "newest gone": (lambda t: t[5].delete(), None),
    "all gone": (lambda t: AuditEntry.objects.all().delete(), None),
    "in turn": (lambda t: swapped(t[1], t[2]), 2),
    "unsealed": (lambda t: change(t[2].pk, position=None), 3),
    "copied": (lambda t: put_in(t[2]), 6),
    "added": (lambda t: put_in(t[5], position=7), 6),
    "hidden": (lambda t: change(t[5].pk, workspace=None), None),
}


def test_the_first_entry_that_does_not_hold_is_named(trail, workspace):
    assert check(workspace.pk).holds and check(workspace.pk).head == trail[5].digest
    for deed, (do, place) in DEEDS.items():
        with transaction.atomic():
            known = [entry.pk for entry in trail]
            do(list(AuditEntry.objects.order_by("pk")))
            report = check(workspace.pk)
            assert report.why, deed
            found = report.broken and (known.index(report.broken.pk) if report.broken.pk in known else 6)
            assert found == place, deed
            transaction.set_rollback(True)
    assert check(workspace.pk).holds


def test_the_command_says_where_it_broke(trail, workspace):
    out = StringIO()
    call_command("audit_check", "--holds", trail[1].digest, stdout=out)
    assert f"Dana's Plumbing ({workspace.pk}): 6 entries hold, up to {trail[5].digest}." in out.getvalue()
    with pytest.raises(CommandError):
        call_command("audit_check", "--holds", "0" * 64, stdout=out)
    change(trail[3].pk, actor="Somebody")
    with pytest.raises(CommandError, match="does not hold"):
        call_command("audit_check", stdout=out)
    assert f"BROKEN after 3 entries. entry {trail[3].pk} (" in out.getvalue()


def test_each_company_has_its_own_chain_and_what_concerns_none_has_one(workspace, second_workspace):
    for scope in (workspace.pk, second_workspace.pk, None):
        audit("x.done", workspace_id=scope)
    assert seal_all() == 3
    assert [(report.entries, report.holds) for report in check_all()] == [(1, True)] * 3


def test_a_year_is_kept_and_the_chain_goes_on_from_there(trail, workspace, settings):
    now = timezone.now()
    settings.CHANGE_RETENTION_DAYS = 30  # of records, not of this
    AuditChain.objects.all().delete()
    for number, entry in enumerate(trail):
        change(entry.pk, position=None, at=now - dt.timedelta(days=370 - 2 * number))
    seal(workspace.pk)
    housekeeping.daily(now)
    assert list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True)) == [entry.pk for entry in trail[3:]]
    report = check(workspace.pk)
    assert report.holds and report.entries == 3
    AuditEntry.objects.earliest("pk").delete()
    assert not check(workspace.pk).holds
    assert prune(now + dt.timedelta(days=1)) == 2 and check(workspace.pk).entries == 0


def test_who_and_what_can_be_erased_without_breaking_it(trail, workspace):
    assert forget_entries(workspace.pk, [trail[1].pk, trail[4].pk, 999_999]) == 2
    seal(workspace.pk)
    report = check(workspace.pk)
    assert report.holds and report.entries == 7
    kept = AuditEntry.objects.filter(object_name=CANARY).values_list("pk", flat=True)
    assert set(kept) == {entry.pk for entry in trail} - {trail[1].pk, trail[4].pk}
    assert (AuditEntry.objects.latest("pk").action, AuditEntry.objects.get(pk=trail[1].pk).action) == (
        "audit.forgotten", "member.updated",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_actions_at_the_same_time_become_one_chain(workspace, in_parallel):
    """Also where one that began first ends last: its transaction holds no lock that the others wait for."""

    def act(number: int) -> None:
        for turn in range(3):
            with transaction.atomic():
                for step in range(2):
                    audit("x.done", workspace_id=workspace.pk, after={"by": [number, turn, step]})
        audit("x.done", workspace_id=workspace.pk)

    in_parallel(4, act)
    report = check(workspace.pk)
    assert (report.entries, report.waiting, report.why) == (28, 0, "")

"""Questions of the books that a program answers: what the choices say, and what becomes of both sides."""

import pytest

from fieldcamp.workspace.models import AuditEntry, Payment
from integrations.models import Link, Problem, SyncJob
from tests.integrations.api.conftest import Caller, caller_of
from tests.integrations.engine import finish

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once]


def answer(caller: Caller, problem: dict, choice: str, **values: str) -> dict:
    body = {"choice": choice, "values": values} if values else {"choice": choice}
    said = caller.post(f"/problems/{problem['id']}/answer", body)
    assert said.status_code == 202, said.content
    if said.json()["job_id"]:
        finish(SyncJob.objects.get(pk=said.json()["job_id"]))
    return said.json()


def the_one(caller: Caller) -> dict:
    [problem] = caller.get("/problems?integration=quickbooks").json()["problems"]
    return problem


def test_a_client_is_another_and_then_a_refused_one_is_the_same(company, books, sync, make_client, workspace):
    customer = books.add("Customer", DisplayName="Kim Reed", PrimaryPhone={"FreeFormNumber": "555 0101"})
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    sync()
    caller = caller_of(workspace)
    asked = the_one(caller)
    assert [choice["id"] for choice in asked["choices"]] == [f"same:{customer['Id']}", "new"]
    assert answer(caller, asked, "new", name="Kim Reed")["outcome"] == "queued"
    refused = the_one(caller)  # as the name is taken there
    assert (refused["cause"], refused["can_retry"], refused["record"]["id"]) == ("duplicate_name", True, client.pk)
    answer(caller, refused, f"same:{customer['Id']}")
    assert Link.objects.get(record_id=client.pk).remote_id == customer["Id"]
    assert books.get("Customer", customer["Id"])["PrimaryEmailAddr"]["Address"] == "kim@example.test"
    assert len(books.all("Customer")) == 1 and not Problem.objects.open().exists()
    assert caller.get("/problems?state=resolved").json()["problems"][0]["choices"] == []


def test_money_that_was_taken_in_already_is_voided_only_by_that_name(
    company, books, sync, make_client, make_item, make_invoice, pay, workspace
):
    posted = make_invoice(make_client(), [(make_item(), 2, "101")])
    sync()
    theirs = books.receive(books.one("Invoice", DocNumber=posted.number), "101", TxnDate="2026-11-19")
    sync()
    ours = pay(posted, "101", method="check")
    sync()
    caller = caller_of(workspace)
    asked = the_one(caller)
    voids = f"void_same:{theirs['Id']}"
    assert {choice["id"]: choice["dangerous"] for choice in asked["choices"]} == {voids: True, "new": False}
    assert caller.post(f"/problems/{asked['id']}/answer", {"choice": f"same:{theirs['Id']}"}).status_code == 400
    told = answer(caller, asked, voids)
    assert (told["outcome"], told["job_id"], told["problem"]["state"]) == ("settled", None, "resolved")
    ours.refresh_from_db()
    assert ours.voided_at and Payment.objects.filter(voided_at=None).count() == 1
    assert AuditEntry.objects.filter(action="connection.match_decided", actor__startswith="API key test").exists()

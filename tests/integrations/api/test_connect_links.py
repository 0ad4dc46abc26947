"""Connect links by API: made, listed, read, revoked; and with what each of them ends."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.api.models import ApiKey, IdempotencyRecord
from fieldcamp.api.services import create_key, revoke_key, rotate_key, update_key
from fieldcamp.workspace.models import AuditEntry, Member
from integrations.models import Connection, ConnectLink, ReturnAddress
from integrations.records import Account, Tokens
from integrations.selectors.connect_links import connect_links, find_connect_link
from integrations.services.connect_links.making import LinkMaker, create_link
from integrations.services.connect_links.using import LinkRefused, accept_by_link
from tests.integrations.admin.conftest import company
from tests.integrations.api.conftest import Caller, caller_of

pytestmark = pytest.mark.django_db
PATH, DAY = "/connect-links", 86_400


@pytest.fixture
def ours(db):
    return company("Ours")


@pytest.fixture
def caller(ours) -> Caller:
    ConnectLink.objects.all().delete()
    return caller_of(ours.workspace)


def body(ours, **fields):
    return {"integration": "google_calendar", "member_id": ours.tech.pk, **fields}


def refused(answer) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [*answer.json()["error"]["details"]]


def test_a_link_from_its_making_to_its_end(ours, caller):
    made = caller.post(PATH, body(ours))
    row = made.json()
    assert made.status_code == 201
    assert made["Location"].endswith(f"/api/v1/integrations{PATH}/{row['id']}")
    token = row.pop("url").removeprefix("http://127.0.0.1:8000/link/")
    link = ConnectLink.objects.get()
    assert find_connect_link(token) == link and token not in str(vars(link)) and len(token) >= 43
    assert (link.expires_at - link.created_at).total_seconds() == DAY
    one = caller.get(f"{PATH}/{link.pk}")
    assert one.json() == row and row["state"] == "open" and row["created_by"].startswith("API key test")
    assert caller.get(PATH).json() == {"connect_links": [row], "next_cursor": None}
    for _ in range(2):  # twice is harmless
        ended = caller("DELETE", f"{PATH}/{link.pk}")
        assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
    assert AuditEntry.objects.filter(action="connect_link.revoked").count() == 1
    ConnectLink.objects.update(used_at=timezone.now())
    late = caller("DELETE", f"{PATH}/{link.pk}")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


@pytest.mark.slow
def test_what_is_refused(ours, caller):
    them = company("Theirs")
    left = Member.objects.create(workspace=ours.workspace, first_name="Left", is_active=False)
    address = "https://app.example.com/connected"
    ReturnAddress.objects.create(workspace=them.workspace, url=address)
    ReturnAddress.objects.create(workspace=ours.workspace, url=address + "/ours")
    wrong = {
        "member_id": [
            {"integration": "google_calendar"}, body(ours, member_id=None), body(ours, member_id=them.tech.pk),
            body(ours, member_id=left.pk), body(ours, integration="quickbooks"), body(ours, member_id=7),
        ],
        "expires_in": [body(ours, expires_in=value) for value in (0, 299, 604_801, "86400", True, None, 10**30)],
        "return_url": [
            body(ours, return_url=url)
            for url in (address, f"{address}/ours/", f"{address}/ours?x=1", f"{address}/OURS", f"{address}/ours#x")
        ],
        "integration": [body(ours, integration="xero"), {"member_id": ours.tech.pk}],
        "scopes": [body(ours, scopes=["x"])],
    }  # fmt: skip
    for name, bodies in wrong.items():
        for each in bodies:
            assert refused(caller.post(PATH, each)) == [name], each
    assert not ConnectLink.objects.filter(workspace=ours.workspace).exists()
    assert caller.post(PATH, body(ours, return_url=f"{address}/ours", expires_in=300)).status_code == 201
    assert caller.post(PATH, {"integration": "quickbooks"}).status_code == 201
    assert refused(caller.get(f"{PATH}?state=closed")) == ["state"]
    assert refused(caller.get(f"{PATH}?stat=open")) == ["stat"]
    for reading in (["integrations:read"], ["visits:write"]):
        weak = caller_of(ours.workspace, scopes=reading)
        assert weak.post(PATH, body(ours)).status_code == 403


def test_a_replay_tells_no_address_and_keeps_none(ours, caller):
    first = caller.post(PATH, body(ours), Idempotency_Key="one")
    again = caller.post(PATH, body(ours), Idempotency_Key="one")
    assert again["Idempotent-Replayed"] == "true" and ConnectLink.objects.count() == 1
    assert again.json() == {**first.json(), "url": None}
    token = first.json()["url"].rpartition("/")[2]
    assert token.encode() not in bytes(IdempotencyRecord.objects.get().body)


@pytest.mark.slow
def test_the_list_is_parted_by_state_and_paged(ours, caller, django_assert_num_queries):
    now = timezone.now()
    ids = [caller.post(PATH, body(ours)).json()["id"] for _ in range(5)]
    rows = ConnectLink.objects.filter
    rows(pk=ids[0]).update(used_at=now), rows(pk=ids[1]).update(revoked_at=now), rows(pk=ids[2]).update(expires_at=now)
    found = {state: [] for state in ("open", "used", "expired", "revoked")}
    for state in found:
        page = caller.get(f"{PATH}?state={state}&integration=google-calendar&member_id={ours.tech.pk}").json()
        found[state] = [row["id"] for row in page["connect_links"]]
        assert {row["state"] for row in page["connect_links"]} == {state}
    assert found == {"open": ids[:2:-1], "used": ids[:1], "revoked": ids[1:2], "expired": ids[2:3]}
    assert caller.get(f"{PATH}?integration=quickbooks").json()["connect_links"] == []
    read, path, cursor = [], f"{PATH}?limit=2", ""
    while True:
        answer = caller.get(path).json()
        read += [row["id"] for row in answer["connect_links"]]
        if answer["next_cursor"] is None:
            break
        cursor = answer["next_cursor"]
        path = f"{PATH}?limit=2&cursor={cursor}"
        caller.post(PATH, body(ours))  # what is made meanwhile moves nothing
    assert read == ids[::-1]
    statuses = {query: caller.get(f"{PATH}?cursor={cursor}{query}").status_code for query in ("", "&state=open")}
    assert statuses == {"": 200, "&state=open": 400}  # a cursor belongs to its filters


def test_a_link_ends_with_what_made_it(ours, caller):
    """A key that ends, may make no links any more, or whose secret was replaced, leaves no link behind that would
    outlive that."""
    in_an_hour = timezone.now() + dt.timedelta(hours=1)
    short = caller_of(ours.workspace, expires_at=in_an_hour)
    assert ConnectLink.objects.get(pk=short.post(PATH, body(ours)).json()["id"]).expires_at == in_an_hour
    key, secret = create_key(workspace=ours.workspace, name="leaked", rate_limit_override=1000)
    old = Caller(ours.workspace, secret)
    before = old.post(PATH, body(ours)).json()["id"]
    rotate_key(key, overlap=dt.timedelta(minutes=10))
    after = ConnectLink.objects.get(pk=old.post(PATH, body(ours)).json()["id"])
    assert after.expires_at == ApiKey.objects.get(pk=key.pk).previous_until
    assert caller.get(f"{PATH}/{before}").json()["state"] == "open"
    update_key(key, changes={"scopes": ["integrations:read"]})
    assert caller.get(f"{PATH}/{before}").json()["state"] == "revoked"
    update_key(key, changes={"scopes": ["integrations:read", "integrations:write"]})
    assert caller.get(f"{PATH}/{before}").json()["state"] == "open"
    revoke_key(key)
    assert caller.get(f"{PATH}/{before}").json()["state"] == "revoked"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_of_many_consents_at_once(monkeypatch, in_parallel):
    """Two links of one person, each brought back by several browsers at once with other accounts: one account is
    bound, its link is used, and whatever else was brought is given back."""
    rows, given_back = company("Ours"), []
    Connection.objects.all().delete()
    monkeypatch.setattr(
        "integrations.services.connect_links.using.withdraw", lambda name, account, token: given_back.append(account)
    )
    maker = LinkMaker("Key", key=rows.key)
    links = [
        create_link(workspace=rows.workspace, integration="google_calendar", member_id=rows.tech.pk, maker=maker)[0].pk
        for _ in range(2)
    ]

    def come_back(number: int) -> ConnectLink | None:
        tokens = Tokens(access_token=f"token {number}", expires_at=timezone.now(), refresh_token="r", raw={})
        account = Account(f"account {number}", f"{number}@google.test")
        try:
            return accept_by_link(
                link_id=links[number % 2], integration="google_calendar", account=account, tokens=tokens
            )
        except LinkRefused:
            return None

    taken = [link for link in in_parallel(6, come_back) if link]
    connection = Connection.objects.get()
    assert (len(taken), len(given_back), connection.member_id) == (1, 5, rows.tech.pk)
    assert [link.state for link in connect_links().filter(pk__in=links).order_by("state")] == ["open", "used"]
    assert taken[0].connection_id == connection.pk

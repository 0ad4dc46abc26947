"""The sandbox's own calls: what was received, fresh states, the clock, many records, everything at once."""

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.mount import URL

from .conftest import reason
from .test_batch import EVENTS, part, post


def test_received_requests(google):
    google.events(q="a b")
    post(google, [part(f"GET {EVENTS}")] * 3)
    log = google.control("requests", method="GET", vendor="google").json()
    assert [entry["n"] for entry in log] == [1, 2]
    first, second = log
    assert first["method"] == "GET" and first["path"] == "/google/api/calendar/v3/calendars/primary/events"
    assert first["query"] == "q=a b" and first["status"] == 200 and first["items"] == 1
    assert first["bytes_in"] == 0 and first["bytes_out"] > 100
    assert second["items"] == 3 and second["bytes_in"] > 100 and second["at"] == 1_795_348_800.0
    assert [e["n"] for e in google.control("requests", method="GET", since=1).json()] == [2]
    google.control("requests", method="DELETE")
    assert google.control("requests", method="GET").json() == []
    google.events()
    assert [e["n"] for e in google.control("requests", method="GET").json()] == [3]


def test_resetting_makes_everything_fresh(google):
    google.insert()
    google.fault(kind="status", status=500, times=9)
    google.control("latency", {"per_request_ms": 5000})
    google.control("throttle", {"enabled": False})
    google.control("clock", {"advance_seconds": 60})
    assert google.control("reset", {"seed": "empty"}).json() == {"seed": "empty"}
    assert reason(google.call("GET", "calendars/primary/events")) == (401, "authError")
    google.sign_in()
    assert google.events()["items"] == [] and google.adapter.waited == 0
    assert google.control("clock", {"advance_seconds": 0}).json() == {"now": 1_795_348_800.0}


def test_the_demo_seed_is_the_same_each_time(google):
    def records():
        google.control("reset", {"seed": "demo"})
        return google.control("state", method="GET", vendor="google").json()["accounts"]

    first, second = records(), records()
    assert first == second
    assert list(first)[:3] == ["dana@google.test", "lee@google.test", "ravi@google.test"] and len(first) == 13
    for email, account in first.items():
        primary, family = account["calendars"]
        assert primary["id"] == email and primary["timeZone"] == "America/New_York"
        assert family["summary"] == "Family"
        assert len(primary["events"]) + len(family["events"]) <= 6
    assert first["dana@google.test"]["calendars"][0]["events"] == []
    assert first["lee@google.test"]["calendars"][0]["events"] == []
    ravi = first["ravi@google.test"]["calendars"][0]["events"]
    assert len(ravi) == 5 and not any("transparency" in event or "attendees" in event for event in ravi)
    maria = first["maria@google.test"]["calendars"][0]["events"]
    assert any("recurrence" in event for event in maria) and any("date" in event["start"] for event in maria)
    assert {"transparent"} <= {event.get("transparency") for event in maria}
    assert {"outOfOffice"} <= {event["eventType"] for event in maria}


def test_the_state_names_what_is_there(google):
    google.event("DELETE", google.insert()["id"])
    dana = google.control("state", method="GET", vendor="google", account="dana@google.test").json()["accounts"]
    assert list(dana) == ["dana@google.test"] and dana["dana@google.test"]["clients"] == ["*"]
    assert [e["status"] for e in dana["dana@google.test"]["calendars"][0]["events"]] == ["cancelled"]
    assert google.control("state", method="GET", vendor="google", account="x").status_code == 400
    assert google.control("state", method="GET").status_code == 400


def test_bulk_events_are_ordinary_events(google):
    google.insert()
    token = google.events()["nextSyncToken"]
    google.control("bulk", {"vendor": "google", "account": "dana@google.test", "events": 300})
    google.control("bulk", {"vendor": "google", "account": "dana@google.test", "events": 0})
    page = google.events(syncToken=token, maxResults=2500)
    assert len(page["items"]) == 300 and len({e["etag"] for e in page["items"]}) == 300
    last = page["items"][-1]
    assert google.event("GET", last["id"]).json() == last
    changed = google.event("PATCH", last["id"], {"summary": "B"}).json()
    assert int(changed["etag"].strip('"')) > int(last["etag"].strip('"'))
    assert [e["id"] for e in google.events(syncToken=page["nextSyncToken"])["items"]] == [last["id"]]


def test_a_token_for_a_client_under_test(anonymous):
    scopes = ["https://www.googleapis.com/auth/calendar.events"]
    body = {"vendor": "google", "account": "lee@google.test", "scopes": scopes, "client_id": "us"}
    token = anonymous.control("token", body).json()
    assert set(token) == {"access_token", "expires_in", "refresh_token", "scope", "token_type"}
    form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"], "client_secret": "sandbox-secret"}
    url = f"{URL}/google/oauth2/token"
    assert anonymous.session.post(url, data=form | {"client_id": "us"}).status_code == 200
    assert anonymous.session.post(url, data=form | {"client_id": "them"}).status_code == 401


def test_a_restarted_sandbox_knows_everything(tmp_path, clock):
    import requests

    from fieldcamp.sandbox.mount import mount

    from .conftest import Google

    def start():
        app = create_app(str(tmp_path / "state.db"), seed="empty", clock=clock)
        session = requests.Session()
        return app, Google(session, mount(session, app))

    app, google = start()
    token = google.sign_in()
    sync = google.events()["nextSyncToken"]
    event = google.insert()
    google.control("clock", {"advance_seconds": 30})
    app.close()
    app, google = start()
    google.token = token
    assert [e["id"] for e in google.events(syncToken=sync)["items"]] == [event["id"]]
    assert google.control("clock", {"advance_seconds": 0}).json()["now"] == clock.now + 30
    app.close()


def test_there_is_a_front_page_and_nothing_behind_unknown_doors(anonymous):
    front = anonymous.session.get(URL + "/")
    assert front.status_code == 200 and 'href="/google/ui"' in front.text
    assert anonymous.session.get(URL + "/static/sandbox.css").headers["Content-Type"].startswith("text/css")
    for path in ("/static/../app.py", "/static/x", "/acme", "/google/nothing", "/google/api/calendar/v3/nothing"):
        assert anonymous.session.get(URL + path).status_code in (401, 404)

"""Google's own Python client against the sandbox: what it can do with Google, it can do here."""

import json
import threading
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest

googleapiclient = pytest.importorskip(
    "googleapiclient",
    reason="NOT RUN: google-api-python-client is missing; install requirements-conformance.txt in .venv-conformance",
)

import httplib2  # noqa: E402
import jwt as pyjwt  # noqa: E402
from google.auth import jwt  # noqa: E402
from google.oauth2.credentials import Credentials  # noqa: E402
from google_auth_httplib2 import AuthorizedHttp  # noqa: E402
from google_auth_oauthlib.flow import Flow  # noqa: E402
from googleapiclient.discovery import build_from_document  # noqa: E402
from googleapiclient.discovery_cache import get_static_doc  # noqa: E402
from googleapiclient.errors import HttpError  # noqa: E402

from fieldcamp.sandbox.app import create_app  # noqa: E402
from fieldcamp.sandbox.google import risc  # noqa: E402
from fieldcamp.sandbox.google.routes import ROUTES  # noqa: E402
from fieldcamp.sandbox.google.scopes import METHODS, PREFIX  # noqa: E402
from fieldcamp.sandbox.server import Server  # noqa: E402

CALENDAR = f"{PREFIX}calendar"
DISCOVERY = json.loads(get_static_doc("calendar", "v3"))


@pytest.fixture
def url():
    app = create_app(seed="empty")
    server = Server(("127.0.0.1", 0), app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.close()


@pytest.fixture
def control(url):
    def call(name, **body):
        request = Request(f"{url}/_control/{name}", json.dumps(body).encode(), method="POST")
        with urlopen(request) as response:
            return json.load(response)

    return call


@pytest.fixture
def credentials(url, control):
    token = control("token", vendor="google", account="dana@google.test")
    return Credentials(
        token["access_token"],
        refresh_token=token["refresh_token"],
        token_uri=f"{url}/google/oauth2/token",
        client_id="us",
        client_secret="sandbox-secret",
        scopes=[CALENDAR],
    )


def service_for(url, credentials):
    """Google's client, built from its own discovery document with the root moved here (the batch address follows)."""
    root = f"{url}/google/api/"
    document = DISCOVERY | {"rootUrl": root, "baseUrl": f"{root}calendar/v3/"}
    return build_from_document(document, http=AuthorizedHttp(credentials, httplib2.Http(timeout=10)))


@pytest.fixture
def service(url, credentials):
    return service_for(url, credentials)


def visit(**more):
    ends = {"start": {"dateTime": "2026-12-01T10:00:00-05:00"}, "end": {"dateTime": "2026-12-01T11:00:00-05:00"}}
    return {"summary": "Visit"} | ends | more


def all_pages(service, **query):
    """Every event and the sync token, paged as Google's guide does it."""
    events = service.events()
    request, items = events.list(calendarId="primary", **query), []
    while request is not None:
        page = request.execute()
        items += page["items"]
        last, request = page, events.list_next(request, page)
    return items, last["nextSyncToken"]


def test_list_insert_patch_update_delete(service):
    events = service.events()
    made = events.insert(calendarId="primary", body=visit()).execute()
    assert events.get(calendarId="primary", eventId=made["id"]).execute() == made
    one = {"calendarId": "primary", "eventId": made["id"]}
    patched = events.patch(**one, body={"summary": "B"}, sendUpdates="none").execute()
    assert patched["summary"] == "B" and patched["etag"] != made["etag"]
    replaced = events.update(calendarId="primary", eventId=made["id"], body=visit(summary="C")).execute()
    assert replaced["summary"] == "C"
    assert [event["id"] for event in all_pages(service)[0]] == [made["id"]]
    assert events.delete(calendarId="primary", eventId=made["id"]).execute() == ""
    with pytest.raises(HttpError) as again:
        events.delete(calendarId="primary", eventId=made["id"]).execute()
    assert again.value.status_code == 410 and again.value.error_details[0]["reason"] == "deleted"


def test_incremental_sync_over_pages(service):
    items, token = all_pages(service)
    assert items == []
    made = [service.events().insert(calendarId="primary", body=visit()).execute() for _ in range(7)]
    service.events().delete(calendarId="primary", eventId=made[0]["id"]).execute()
    items, token = all_pages(service, syncToken=token, maxResults=3)
    assert {event["id"]: event["status"] for event in items} == {e["id"]: "confirmed" for e in made} | {
        made[0]["id"]: "cancelled"
    }
    assert all_pages(service, syncToken=token)[0] == []


def test_an_expired_sync_token_is_a_410(service, control):
    _, token = all_pages(service)
    control("faults", vendor="google", kind="expire_cursor")
    with pytest.raises(HttpError) as gone:
        all_pages(service, syncToken=token)
    assert gone.value.status_code == 410 and gone.value.error_details[0]["reason"] == "fullSyncRequired"
    _, fresh = all_pages(service)
    assert all_pages(service, syncToken=fresh)[0] == []


def test_a_batch_of_fifty(service):
    answers = {}
    batch = service.new_batch_http_request(lambda name, answer, error: answers.update({name: error or answer}))
    for n in range(49):
        body = visit(id=f"visit{n:04d}", summary=f"Ü {n}")
        batch.add(service.events().insert(calendarId="primary", body=body), request_id=str(n))
    batch.add(service.events().get(calendarId="primary", eventId="neverwas"), request_id="missing")
    batch.execute()
    assert [answers[str(n)]["summary"] for n in range(49)] == [f"Ü {n}" for n in range(49)]
    assert isinstance(answers["missing"], HttpError) and answers["missing"].status_code == 404
    assert len(all_pages(service)[0]) == 49


def test_an_expired_access_token_inside_a_batch_is_refreshed_by_the_client(service, control):
    answers = []
    batch = service.new_batch_http_request(lambda name, answer, error: answers.append(error or answer))
    control("faults", vendor="google", kind="expire_token")
    for _ in range(3):
        batch.add(service.calendarList().list())
    batch.execute()
    assert [len(answer["items"]) for answer in answers] == [2, 2, 2]


def test_the_client_refreshes_by_itself(service, credentials, control):
    first = credentials.token
    control("clock", advance_seconds=4000)
    service.calendarList().list().execute()
    assert credentials.token != first and credentials.refresh_token


def test_partial_responses_and_awkward_ids(service):
    made = service.events().insert(calendarId="primary", body=visit(), fields="id,start/dateTime").execute()
    assert set(made) == {"id", "start"} and set(made["start"]) == {"dateTime"}
    page = service.events().list(calendarId="dana@google.test", fields="items(id),nextSyncToken").execute()
    assert page["items"] == [{"id": made["id"]}]
    family = service.calendarList().list().execute()["items"][1]["id"]
    assert service.calendars().get(calendarId=family).execute()["id"] == family


def test_conditional_writes(service):
    made = service.events().insert(calendarId="primary", body=visit()).execute()
    request = service.events().patch(calendarId="primary", eventId=made["id"], body={"summary": "B"})
    request.headers["If-Match"] = '"1"'
    with pytest.raises(HttpError) as refused:
        request.execute()
    assert refused.value.status_code == 412


def test_rate_limits_are_retried_by_the_client(service, control, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    control("faults", vendor="google", kind="status", status=403, path="calendarList")
    control("faults", vendor="google", kind="status", status=503, path="calendarList")
    assert service.calendarList().list().execute(num_retries=3)["items"]
    assert len(pauses) == 2


def test_the_code_flow_with_pkce(url, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # "email" comes back under its long name, as at Google
    secrets = {
        "client_id": "us",
        "client_secret": "sandbox-secret",
        "auth_uri": f"{url}/google/accounts/o/oauth2/v2/auth",
        "token_uri": f"{url}/google/oauth2/token",
    }
    flow = Flow.from_client_config(
        {"web": secrets},
        scopes=["openid", "email", CALENDAR],
        redirect_uri="http://localhost:9/callback",
        autogenerate_code_verifier=True,
    )
    address, state = flow.authorization_url(access_type="offline", prompt="consent", sandbox_auto="lee@google.test")
    assert "code_challenge_method=S256" in address
    browser = httplib2.Http(timeout=10)
    browser.follow_redirects = False
    response, _ = browser.request(address)
    assert parse_qs(urlsplit(response["location"]).query)["state"] == [state]
    flow.fetch_token(authorization_response=response["location"])
    assert flow.credentials.refresh_token and flow.credentials.id_token
    primary = service_for(url, flow.credentials).calendars().get(calendarId="primary").execute()
    assert primary["id"] == "lee@google.test"


def methods():
    """(name, verb, path, parameters, scopes) of every method the sandbox has to know."""
    for resource in ("acl", "calendarList", "calendars", "channels", "colors", "events", "freebusy", "settings"):
        for name, method in DISCOVERY["resources"][resource]["methods"].items():
            yield pytest.param(f"{resource}.{name}", method, id=f"{resource}.{name}")


@pytest.mark.parametrize(("name", "method"), list(methods()))
def test_every_method_of_the_discovery_document_is_here(name, method):
    assert (name, method["httpMethod"], method["path"]) in ROUTES
    assert {PREFIX + scope for scope in METHODS[name].split()} == set(method["scopes"])


def test_the_sandbox_has_no_method_that_google_has_not():
    known = {parameter.values[0] for parameter in methods()}
    assert {name for name, _, _ in ROUTES} == known


def test_the_parameters_read_here_are_google_s():
    from fieldcamp.sandbox.google import event_types, params

    listed = DISCOVERY["resources"]["events"]["methods"]["list"]["parameters"]
    assert set(params.NOT_WITH_SYNC_TOKEN) <= set(listed)
    assert set(event_types.TYPES) == set(listed["eventTypes"]["enum"])
    assert listed["orderBy"]["enum"] == ["startTime", "updated"]
    assert listed["maxResults"]["default"] == "250"


def unknown_keys(data, schema):
    """Paths of keys that Google's schema does not have."""
    schema = DISCOVERY["schemas"][schema["$ref"]] if "$ref" in schema else schema
    if isinstance(data, list):
        return [path for item in data for path in unknown_keys(item, schema["items"])]
    if not isinstance(data, dict):
        return []
    result = []
    for key, value in data.items():
        below = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
        result += [key] if below is None else [f"{key}.{path}" for path in unknown_keys(value, below)]
    return result


def test_every_key_of_the_answers_is_in_google_s_schemas(service):
    guests = [{"email": "dana@google.test"}, {"email": "x@x.test", "optional": True}]
    rich = visit(
        attendees=guests,
        recurrence=["RRULE:FREQ=DAILY;COUNT=2"],
        extendedProperties={"private": {"a": "b"}},
        source={"url": "https://fieldcamp.test/", "title": "FieldCamp"},
        reminders={"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]},
        colorId="3",
        transparency="transparent",
        visibility="private",
        guestsCanModify=True,
        start={"dateTime": "2026-12-01T10:00:00", "timeZone": "America/New_York"},
        end={"dateTime": "2026-12-01T11:00:00", "timeZone": "America/New_York"},
    )
    event = service.events().insert(calendarId="primary", body=rich).execute()
    instances = service.events().instances(calendarId="primary", eventId=event["id"]).execute()
    service.events().delete(calendarId="primary", eventId=instances["items"][0]["id"]).execute()
    answers = {
        "Event": event,
        "Events": service.events().list(calendarId="primary", showDeleted=True).execute(),
        "Calendar": service.calendars().get(calendarId="primary").execute(),
        "CalendarList": service.calendarList().list().execute(),
        "Colors": service.colors().get().execute(),
        "Settings": service.settings().list().execute(),
        "FreeBusyResponse": service.freebusy()
        .query(
            body={
                "timeMin": "2026-12-01T00:00:00Z",
                "timeMax": "2026-12-02T00:00:00Z",
                "items": [{"id": "dana@google.test"}, {"id": "lee@google.test"}],
            }
        )
        .execute(),
    }
    for name, answer in answers.items():
        assert unknown_keys(answer, {"$ref": name}) == [], name


def test_a_service_account_configures_the_stream_of_security_events(url, control):
    """Google's own library makes the token that its page about Cross-Account Protection asks for."""
    key = control("service_account", vendor="google")
    account = jwt.Credentials.from_service_account_info(key, audience=risc.AUDIENCE)
    body = {"delivery": {"delivery_method": risc.PUSH, "url": "https://sync.example.com/"}, "events_requested": []}
    headers = {"Content-Type": "application/json"}
    account.before_request(None, "POST", f"{url}/google/risc/v1beta/stream:update", headers)
    request = Request(f"{url}/google/risc/v1beta/stream:update", json.dumps(body).encode(), headers, method="POST")
    with urlopen(request) as response:
        assert json.load(response)["delivery"]["url"] == "https://sync.example.com/"


def test_an_event_is_believed_as_the_page_s_example_does(url, control):
    event = {"vendor": "google", "account": "dana@google.test", "client_id": "us", "event": "account-disabled"}
    token = control("security_event", **event)["token"]
    with urlopen(f"{url}/google/accounts/.well-known/risc-configuration") as response:
        configuration = json.load(response)
    with urlopen(configuration["jwks_uri"]) as response:
        keys = json.load(response)["keys"]
    claims = pyjwt.decode(
        token, pyjwt.PyJWKSet.from_dict({"keys": keys})[pyjwt.get_unverified_header(token)["kid"]], ["RS256"],
        audience=["us"], issuer=configuration["issuer"], options={"verify_exp": False},
    )  # fmt: skip
    assert "https://schemas.openid.net/secevent/risc/event-type/account-disabled" in claims["events"]

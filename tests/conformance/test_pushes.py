"""What the sandbox's vendors send by themselves, read by the clients that the vendors and others have written."""

import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.request import Request, urlopen

import pytest

pytest.importorskip(
    "googleapiclient",
    reason="NOT RUN: google-api-python-client is missing; install requirements-conformance.txt in .venv-conformance",
)
pytest.importorskip("quickbooks", reason="NOT RUN: python-quickbooks is missing; install requirements-conformance.txt")

from google.oauth2.credentials import Credentials  # noqa: E402
from google_auth_httplib2 import AuthorizedHttp  # noqa: E402
from googleapiclient.channel import new_webhook_channel, notification_from_headers  # noqa: E402
from googleapiclient.discovery import build_from_document  # noqa: E402
from googleapiclient.discovery_cache import get_static_doc  # noqa: E402
from googleapiclient.errors import HttpError  # noqa: E402
from httplib2 import Http  # noqa: E402
from quickbooks import QuickBooks  # noqa: E402

from fieldcamp.sandbox.app import create_app  # noqa: E402
from fieldcamp.sandbox.server import Server  # noqa: E402

PATIENCE = 20
DOCUMENT = json.loads(get_static_doc("calendar", "v3"))


def running(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def end():
        server.shutdown()
        thread.join()
        server.server_close()

    return end


@pytest.fixture
def url():
    app = create_app(seed="empty")
    app.push.wire.plain_http = True
    server = Server(("127.0.0.1", 0), app)
    end = running(server)
    yield f"http://127.0.0.1:{server.server_port}"
    end()
    app.close()


@pytest.fixture
def receiver():
    posts, come = [], threading.Condition()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with come:
                posts.append((dict(self.headers.items()), body))
                come.notify_all()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    def wait_for(count):
        with come:
            assert come.wait_for(lambda: len(posts) >= count, PATIENCE), posts
            return list(posts)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    end = running(server)
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/push", wait_for=wait_for)
    end()


@pytest.fixture
def control(url):
    def call(name, **body):
        request = Request(f"{url}/_control/{name}", json.dumps(body).encode(), method="POST")
        with urlopen(request) as response:
            return json.load(response)

    return call


@pytest.fixture
def service(url, control):
    token = control("token", vendor="google", account="dana@google.test")
    root = f"{url}/google/api/"
    document = DOCUMENT | {"rootUrl": root, "baseUrl": f"{root}calendar/v3/"}
    return build_from_document(document, http=AuthorizedHttp(Credentials(token["access_token"]), Http(timeout=10)))


def test_googles_client_opens_reads_and_stops_a_channel(service, receiver):
    channel = new_webhook_channel(receiver.url, token="ours", expiration=datetime.now() + timedelta(days=2))
    answer = service.events().watch(calendarId="primary", body=channel.body()).execute()
    assert set(answer) <= set(DOCUMENT["schemas"]["Channel"]["properties"])
    channel.update(answer)
    assert channel.resource_id == answer["resourceId"] and channel.expiration == answer["expiration"]
    ((headers, body),) = receiver.wait_for(1)
    said = notification_from_headers(channel, headers)
    assert (said.message_number, said.state, said.resource_id) == (1, "sync", channel.resource_id) and body == b""
    ends = {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    service.events().insert(calendarId="primary", body=ends).execute()
    said = notification_from_headers(channel, receiver.wait_for(2)[1][0])
    assert said.state == "exists" and said.message_number > 1 and said.resource_uri == answer["resourceUri"]
    assert service.channels().stop(body=channel.body()).execute() == ""


def test_googles_client_is_refused_an_id_that_was_used(service, receiver):
    channel = new_webhook_channel(receiver.url)
    service.events().watch(calendarId="primary", body=channel.body()).execute()
    with pytest.raises(HttpError) as refused:
        service.events().watch(calendarId="primary", body=channel.body()).execute()
    assert refused.value.error_details[0]["reason"] == "channelIdNotUnique"


@pytest.mark.parametrize("form", ["cloudevents", "legacy"])
def test_a_client_of_quickbooks_believes_the_signature(url, control, receiver, form):
    control("webhooks", vendor="intuit", url=receiver.url, verifier="a-verifier-token", format=form)
    control("push", vendor="intuit", kind="test", account="9130001")
    ((headers, body),) = receiver.wait_for(1)
    signature = {name.lower(): value for name, value in headers.items()}["intuit-signature"]
    client = QuickBooks.__new__(QuickBooks)
    assert client.validate_webhook_signature(body.decode(), signature, "a-verifier-token")
    assert not client.validate_webhook_signature(body.decode() + " ", signature, "a-verifier-token")
    assert not client.validate_webhook_signature(body.decode(), signature, "another-token")

"""The sandbox on a socket, in a process of its own and in this one."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.server import Server

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=[False, True], ids=["http", "https"])
def url(request):
    app = create_app(seed="empty")
    server = Server(("127.0.0.1", 0), app, tls=request.param)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"{'https' if request.param else 'http'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.close()


@pytest.fixture
def session(url, recwarn):
    with requests.Session() as session:
        session.verify = False
        session.trust_env = False
        yield session


def fault(session, url, **spec):
    assert session.post(f"{url}/_control/faults", json=spec).status_code == 200


def test_drop_ends_the_connection_without_an_answer(session, url):
    fault(session, url, kind="drop")
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(f"{url}/google/openid/v1/userinfo")
    assert session.get(f"{url}/google/openid/v1/userinfo").status_code == 401


@pytest.mark.slow
def test_truncated_bodies_and_delays(session, url):
    fault(session, url, kind="truncate")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        _ = session.get(f"{url}/google/openid/v1/userinfo").content
    fault(session, url, kind="delay", seconds=0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(f"{url}/google/openid/v1/userinfo", timeout=0.1)


def test_chunked_bodies_and_percent_encoded_paths(session, url):
    token = session.post(
        f"{url}/_control/token", data=iter([b'{"vendor": "google", ', b'"account": "dana@google.test"}'])
    )
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    found = session.get(f"{url}/google/api/calendar/v3/calendars/dana%40google.test", headers=headers)
    assert found.json()["id"] == "dana@google.test"


@pytest.mark.slow
def test_many_clients_at_once(session, url):
    token = session.post(f"{url}/_control/token", json={"vendor": "google", "account": "dana@google.test"}).json()
    events = f"{url}/google/api/calendar/v3/calendars/primary/events"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    body = {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    statuses = []

    def work():
        with requests.Session() as own:
            own.verify = own.trust_env = False
            statuses.extend(own.post(events, json=body, headers=headers).status_code for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 80
    items = session.get(events, headers=headers).json()["items"]
    assert len({event["etag"] for event in items}) == 80


def test_a_connection_serves_many_requests_and_survives_bad_ones():
    app = create_app(seed="empty")
    server = Server(("127.0.0.1", 0), app)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.connect()
    socket = connection.sock
    for _ in range(3):
        connection.request("POST", "/_control/token", body=b"{bad")
        assert connection.getresponse().read().startswith(b'{"error"')
        assert connection.sock is socket
    connection.request("GET", "/", headers={"Content-Length": "x"})
    assert connection.getresponse().status == 400
    server.shutdown()
    server.server_close()
    app.close()


def test_a_request_after_the_end_finds_nobody_and_troubles_nobody(caplog):
    app = create_app(seed="empty")
    server = Server(("127.0.0.1", 0), app)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", "/_control/requests")
    assert connection.getresponse().read()
    server.shutdown()
    server.server_close()
    app.close()
    connection.request("GET", "/_control/requests")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    assert not caplog.records


def start(state: Path) -> tuple[subprocess.Popen, str]:
    command = [sys.executable, "-m", "fieldcamp.sandbox", "--port", "0", "--state", str(state), "--seed", "empty"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "."}, umask=0o022
    )
    return process, process.stdout.readline().split()[-1].rstrip("/")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_what_was_answered_survives_the_end_of_the_process(tmp_path, number, code):
    process, url = start(tmp_path / "state.db")
    token = requests.post(f"{url}/_control/token", json={"vendor": "google", "account": "dana@google.test"}).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    events = "google/api/calendar/v3/calendars/primary/events"
    body = {"id": "abcde", "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    assert requests.post(f"{url}/{events}", json=body, headers=headers).status_code == 200
    kept = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("state.db*")}
    assert len(kept) > 1 and not any(kept.values())  # its owner's alone
    process.send_signal(number)
    assert process.wait(10) == code
    process.stdout.close()
    again, url = start(tmp_path / "state.db")
    assert requests.get(f"{url}/{events}/abcde", headers=headers).status_code == 200
    again.terminate()
    assert again.wait(10) == 0
    again.stdout.close()


def test_a_body_that_never_ends_goes_on_until_the_client_has_had_enough(session, url):
    fault(session, url, kind="endless")
    with session.get(f"{url}/google/openid/v1/userinfo", stream=True) as response:
        assert "Content-Length" not in response.headers
        assert sum(len(piece) for piece, _ in zip(response.iter_content(65_536), range(40), strict=False)) > 10**6
    assert session.get(f"{url}/google/openid/v1/userinfo").status_code == 401


def test_a_host_of_a_vendor_s_own_is_the_same_as_its_prefix(session, url):
    port = url.rpartition(":")[2]
    for host, path in (("graph.microsoft", "/v1.0/me"), ("api.google", "/calendar/v3/colors")):
        part, vendor = host.split(".")
        for address in (path, f"/{vendor}/{part}{path}"):  # what is answered there has the prefix
            answer = session.get(f"{url}{address}", headers={"Host": f"{host}.localhost:{port}"})
            assert answer.status_code == 401 and "error" in answer.json()
    assert session.get(f"{url}/v1.0/me", headers={"Host": f"graph.nobody.localhost:{port}"}).status_code == 404
    host = f"accounts.google.localhost:{port}"
    document = session.get(f"{url}/.well-known/openid-configuration", headers={"Host": host}).json()
    assert urlsplit(document["token_endpoint"]).netloc == host

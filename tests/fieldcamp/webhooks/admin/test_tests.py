"""Tests that a person sends, the command that sends a delivery by hand, and the samples of receivers: each against a
receiver on a socket."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.samples import CURL, NODE, PHP, PYTHON, VARIABLE
from fieldcamp.webhooks.signing import signatures
from tests.fieldcamp.webhooks.admin.conftest import DELIVERIES, text_of
from tests.fieldcamp.webhooks.receivers import FINE, receiving
from tests.integrations.admin.conftest import WEBHOOK_CANARY, pages_of

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def lead(ours):
    """Makes the endpoint send to a receiver."""

    def lead(url: str, **fields) -> None:
        WebhookEndpoint.objects.filter(pk=ours.webhook.pk).update(url=url, secret=SECRET, **fields)

    return lead


def test_a_test_is_answered_beside_the_button(desk, ours, page, lead):
    with receiving((200, {}, b"<script>alert(1)</script>")) as receiver:
        lead(receiver.url, status="pending")
        response = desk().post(page("test"), {"type": "visit.updated"}, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert "<html" not in html and "<script>" not in html and "&lt;script&gt;" in html
    assert "Answered 200 after" in html and "The webhook is enabled" in html
    assert json.loads(receiver.got[0].body)["type"] == "visit.updated"
    assert WebhookEndpoint.objects.get().status == "enabled"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {}, b"no room"), "Answered 500 after"),
        ((301, {"Location": "https://elsewhere.example"}, b""), "It answers with a redirect: enter the final address."),
        ((404, {}, b""), "There is nothing at this address"),
    ],
)
def test_a_test_that_is_refused_says_why(answer, said, desk, page, lead):
    with receiving(answer) as receiver:
        lead(receiver.url, status="pending")
        assert said in text_of(desk().post(page("test")))  # a page of its own without scripts
    assert WebhookEndpoint.objects.get().status == "pending"


def test_a_disabled_webhook_can_be_tested_and_is_offered_to_be_enabled(desk, page, lead):
    with receiving(FINE) as receiver:
        lead(receiver.url, status="disabled", disabled_reason="failing")
        response = desk().post(page("test"))
    assert page("enable") in response.content.decode()
    assert WebhookEndpoint.objects.get().status == "disabled"


@pytest.mark.parametrize("event_type", ["invoice.paid", "nonsense", "visit.*"])
def test_only_what_the_webhook_is_sent_can_be_tested(event_type, desk, page, lead):
    with receiving(FINE) as receiver:
        lead(receiver.url)
        assert "This webhook is sent no such event." in text_of(desk().post(page("test"), {"type": event_type}))
    assert receiver.got == []


def command_of(html: str) -> str:
    from html import unescape

    return unescape(re.search(r'<textarea[^>]*id="curl"[^>]*>(.*?)</textarea>', html, re.S)[1])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="NO CURL: the command was not run")
def test_the_command_sends_the_delivery_with_a_good_signature(desk, ours, lead):
    told = 'it\'s $(touch /tmp/x) `id` "quoted" \\ ä'
    body = bytes(ours.event.body).replace(b"Ring twice", json.dumps(told, ensure_ascii=False)[1:-1].encode())
    type(ours.event).objects.update(body=body)
    with receiving(FINE) as receiver:
        lead(receiver.url)
        html = desk("admin").post(f"{DELIVERIES}{ours.delivery.pk}/curl/").content.decode()
        command = command_of(html)
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    got = receiver.got[0]
    assert got.body == body
    timestamp = int(got.headers["webhook-timestamp"])
    expected = signatures([SECRET], ours.event.pk, timestamp, body)
    assert (got.headers["x-fieldcamp-signature"], got.headers["webhook-signature"]) == expected
    assert SECRET not in html and SECRET.removeprefix("whsec_") not in html


def test_no_signature_stands_on_the_page_of_a_delivery(desk, ours):
    html = desk().get(pages_of(ours)["delivery"]).content.decode()
    assert "webhook-signature: …" in html and "X-FieldCamp-Signature: …" in html
    assert WEBHOOK_CANARY not in html


def test_a_webhook_of_ids_alone_is_shown_what_it_is_sent(desk, ours):
    WebhookEndpoint.objects.update(payload="thin")
    html = desk().get(pages_of(ours)["delivery"]).content.decode()
    assert "Ring twice" not in html and ours.visit.pk in html


def test_a_command_without_the_key_of_the_secrets_is_none(desk, ours, settings):
    settings.TOKEN_ENCRYPTION_KEYS = ["QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="]
    command = command_of(desk().post(f"{DELIVERIES}{ours.delivery.pk}/curl/").content.decode())
    assert command.startswith("# The secret cannot be read")


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    import time

    now = int(time.time())
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": "v1,AAAA " + signatures([secret], "evt_1", now, body)[1],
    }


BODY = '{"id":"evt_1","type":"visit.updated","data":{"object":{"title":"Müller  "}}}'.encode()


@pytest.mark.slow
def test_the_python_sample_takes_what_is_ours_and_nothing_else():
    pytest.importorskip("standardwebhooks", reason="NO STANDARDWEBHOOKS: the Python sample was not run")
    # What the sample needs of Flask: a route, and a request.
    flask = textwrap.dedent("""
        class request:
            body, headers = b"", {}
            get_data = classmethod(lambda cls: cls.body)
        class Flask:
            def __init__(self, name): pass
            def post(self, path): return lambda view: view
    """)
    tried = "\n".join(
        f"request.body, request.headers = {body!r}, {headers!r}\nprint(receive()[1])"
        for body, headers in (
            (BODY, signed(BODY)),
            (BODY + b" ", signed(BODY)),
            (BODY, signed(BODY, WEBHOOK_CANARY)),
            (BODY, {**signed(BODY), "webhook-timestamp": "1"}),
            (BODY, {**signed(BODY), "webhook-signature": "nonsense"}),
            (BODY, {}),
        )
    )
    program = (
        f"import sys, types\nsys.modules['flask'] = flask = types.ModuleType('flask')\nexec({flask!r}, vars(flask))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", f"{program}{PYTHON}\n{tried}"], env=os.environ | {VARIABLE: SECRET},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.split("\n")[:-1] == ["evt_1 visit.updated", "204", *["400"] * 5]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="NO NODE: the Node sample was not run")
def test_the_node_sample_takes_what_is_ours_and_nothing_else(tmp_path):
    import requests

    (tmp_path / "receive.mjs").write_text(NODE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {VARIABLE: SECRET, "PORT": str(port)}
    program = subprocess.Popen(["node", tmp_path / "receive.mjs"], env=env, stdout=subprocess.PIPE, text=True)
    try:
        session = requests.Session()
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=listening()))
        statuses = [
            session.post(f"http://127.0.0.1:{port}/hooks/fieldcamp", data=body, headers=headers, timeout=30).status_code
            for body, headers in (
                (BODY, signed(BODY)),
                (BODY + b" ", signed(BODY)),
                (BODY, signed(BODY, WEBHOOK_CANARY)),
                (BODY, {**signed(BODY), "webhook-timestamp": "1"}),
                (BODY, {}),
            )
        ]
        assert statuses == [204, 400, 400, 400, 400]
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(10)


def listening():
    """Tries again until the program listens."""
    from urllib3.util import Retry

    return Retry(connect=60, backoff_factor=0.05, backoff_max=0.5)


@pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="NO OPENSSL: the sample was not run"
)
def test_the_curl_sample_signs_as_we_do():
    with receiving(FINE) as receiver:
        sample = CURL.replace("http://localhost:8080/hooks/fieldcamp", receiver.url)
        env = os.environ | {VARIABLE: SECRET}
        subprocess.run(["bash", "-c", sample], env=env, check=True, capture_output=True)
    got = receiver.got[0]
    expected = signatures([SECRET], "evt_test", int(got.headers["webhook-timestamp"]), got.body)[1]
    assert got.headers["webhook-signature"] == expected


@pytest.mark.skipif(shutil.which("php") is None, reason="NO PHP: the PHP sample was not run")
def test_the_php_sample_can_be_read(tmp_path):
    (tmp_path / "receive.php").write_text(PHP)
    subprocess.run(["php", "-l", tmp_path / "receive.php"], check=True, capture_output=True)


def test_samples_name_the_secret_and_never_hold_one():
    for sample in (PYTHON, NODE, PHP, CURL):
        assert VARIABLE in sample and not re.search(r"whsec_\w", sample)


def test_a_resent_delivery_is_not_sent_by_the_page(desk, ours, lead):
    """The worker sends it: a page waits for nobody's server."""
    with receiving(FINE) as receiver:
        lead(receiver.url)
        desk().post(f"{DELIVERIES}{ours.delivery.pk}/resend/")
    assert receiver.got == [] and WebhookDelivery.objects.filter(state="pending").count() == 1

"""docs/webhooks.md is true: its tables are those of the code, and its programs are pasted out of it and run."""

import datetime as dt
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.utils import timezone

from fieldcamp.api.services import create_key
from fieldcamp.webhooks import policy, services
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.signing import body_of, headers_of, signatures
from integrations.models import SyncJob
from integrations.transport.webhook_client import TOTAL_SECONDS
from tests.fieldcamp.webhooks.build import happened, make_endpoint
from tests.integrations import build

PAGE = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def block(language: str, mark: str) -> str:
    [found] = [each for each in blocks(language) if mark in each]
    return found


def rows(heading: str) -> list[list[str]]:
    """The table below this heading, without its own."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_answers_are_those_that_the_code_knows():
    assert rows("Answering") == [[rule.answers, rule.then] for rule in policy.OUTCOMES]
    assert f"{TOTAL_SECONDS:.0f} seconds" in PAGE


def test_the_schedule_is_the_codes():
    def said(seconds: int) -> str:
        for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
            if seconds >= size:
                return f"{seconds // size} {unit}"
        return "at once"

    waits = [int(each.total_seconds()) for each in policy.SCHEDULE]
    assert rows("Retries") == [[str(number), said(wait)] for number, wait in enumerate(waits, 1)]
    hours, minutes = divmod(sum(waits) // 60, 60)
    part = PAGE.partition("## Retries")[2].partition("\n## ")[0]
    assert f"{hours} h {minutes} min in all" in part
    assert f"{policy.FAILURES_TO_PROBE} failures in a row" in part
    probes = [int(each.total_seconds() // 60) for each in policy.PROBES]
    assert f"{', '.join(map(str, probes[:-1]))} and then every {probes[-1]} minutes" in part
    assert f"after {policy.DISABLE_AFTER.days} days" in part
    assert f"at least {policy.FEWEST_UNDELIVERED} undelivered events" in part
    assert f"No more than {policy.IN_FLIGHT} are on their way" in part


def test_all_events_are_in_the_table():
    assert rows("All events") == [
        [f"`{each.name}`", f"`{each.scope}`", each.description] for each in EVENT_TYPES.values()
    ]


def test_the_numbers_are_those_of_the_code():
    assert f"{services.MOST_ENDPOINTS} webhooks at most" in PAGE
    assert f"at most {int(services.LONGEST_OVERLAP.total_seconds()) // 3600})" in PAGE


@pytest.fixture
def port() -> int:
    script = settings.BASE_DIR / "scripts" / "free_ports.py"
    return int(subprocess.run([sys.executable, script, "1"], capture_output=True, text=True, check=True).stdout)


def environment(**more: str) -> dict[str, str]:
    """Returns what a program out of the page finds: the suite's Python, and nothing that changes how it starts."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", os.defpath)])
    return {**own, "PATH": path, "no_proxy": "*", **more}


@contextmanager
def running(command: list[str], where: Path, said: str = "", **more: str) -> Iterator[subprocess.Popen]:
    """A program out of the page, until the block ends; its output is read line by line. `said` is waited for."""
    env = environment(**more)
    program = subprocess.Popen(
        [shutil.which(command[0], path=env["PATH"]) or command[0], *command[1:]],
        cwd=where,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        if said:
            line_with(program, said)
        yield program
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()
        if program.stdout:
            program.stdout.close()


def line_with(program: subprocess.Popen, text: str) -> str:
    """The next line of its output that has this in it."""
    assert program.stdout
    seen = []
    for line in program.stdout:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError(f"It ended, and did not say {text}: {seen}")


def signed(endpoint: WebhookEndpoint, event_type: str = "visit.updated") -> tuple[dict[str, str], bytes]:
    """Headers and body of a real delivery of something that has just happened."""
    delivery = happened(endpoint.workspace, event_type, endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    body = body_of(endpoint, delivery.event)
    return headers_of(delivery, endpoint, body, attempt=1, now=timezone.now()), body


def until_it_listens(program: subprocess.Popen, port: int) -> None:
    """Waits for as long as the program lives, two minutes at most: how soon it starts is not what is tried here."""
    ends = time.monotonic() + 120
    refused: OSError | None = None
    while program.poll() is None and time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError as error:
            refused = error
            time.sleep(0.05)
        else:
            return
    ended = program.poll()
    program.kill()
    pytest.fail(f"Not listening: ended with {ended}, {refused}, said {program.communicate()[0]!r}", pytrace=False)


def sent(port: int, headers: dict[str, str], body: bytes) -> int:
    """What a receiver answers."""
    session = requests.Session()
    session.trust_env = False
    return session.post(f"http://127.0.0.1:{port}/hooks", data=body, headers=headers, timeout=20).status_code


def write_python(where: Path) -> None:
    (where / "fieldcamp_webhooks.py").write_text(block("python", "import hmac"))
    (where / "receive.py").write_text(block("python", "raw_body = self.rfile"))
    (where / "integrator.py").write_text(block("python", "def catch_up"))
    (where / "receive.mjs").write_text(block("javascript", "createServer"))


def wrong(headers: dict[str, str], body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """The same request, each time with one thing that is not ours."""
    return [
        (headers, body + b" "),
        ({**headers, "webhook-id": "evt_other"}, body),
        ({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body),
        ({**headers, "webhook-signature": "v1,AAAA"}, body),
        ({**headers, "webhook-signature": "nonsense"}, body),
        ({name: value for name, value in headers.items() if name != "webhook-signature"}, body),
        ({name: value for name, value in headers.items() if name != "webhook-timestamp"}, body),
    ]


RECEIVERS = {"python3": "receive.py", "node": "receive.mjs"}


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("language", RECEIVERS)
def test_a_pasted_receiver_takes_what_is_ours_and_nothing_else(language, workspace, port, tmp_path):
    if shutil.which(language) is None:
        pytest.skip(f"{language} is not installed: its receiver was NOT tried")
    write_python(tmp_path)
    endpoint = make_endpoint(workspace)
    headers, body = signed(endpoint)
    environ = {"PORT": str(port), "FIELDCAMP_WEBHOOK_SECRET": endpoint.secret}
    with running([language, RECEIVERS[language]], tmp_path, **environ) as it:
        until_it_listens(it, port)
        assert sent(port, headers, body) == 204
        assert headers["webhook-id"] in line_with(it, "visit.updated")
        assert [sent(port, *each) for each in wrong(headers, body)] == [400] * 7
        # During a rotation a receiver with the old secret is not refused, nor one with the new one.
        before = endpoint.secret
        rotated, _ = services.rotate_secret(endpoint, dt.timedelta(hours=1), scopes=endpoint.scopes)
        assert rotated.previous_secret == before and sent(port, *signed(rotated)) == 204


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db
def test_the_signed_request_by_curl_is_accepted(port, workspace, tmp_path):
    write_python(tmp_path)
    secret = make_endpoint(workspace).secret
    with running(["python3", "receive.py"], tmp_path, PORT=str(port), FIELDCAMP_WEBHOOK_SECRET=secret) as it:
        until_it_listens(it, port)
        environ = environment(FIELDCAMP_WEBHOOK_SECRET=secret, RECEIVER=f"http://127.0.0.1:{port}/")
        done = subprocess.run(
            ["bash", "-euc", block("bash", "$RECEIVER")], env=environ, capture_output=True, text=True, timeout=60
        )
    assert " 204 " in done.stdout, done


def test_the_package_verifies_what_is_sent(monkeypatch, workspace):
    pytest.importorskip("standardwebhooks", reason="standardwebhooks is not installed: its sample was NOT tried")
    endpoint = make_endpoint(workspace)
    monkeypatch.setenv("FIELDCAMP_WEBHOOK_SECRET", endpoint.secret)
    names: dict = {}
    exec(block("python", "import Webhook, "), names)  # noqa: S102  # our own page
    headers, body = signed(endpoint)
    assert names["verified"](headers, body)["type"] == "visit.updated"
    for bad_headers, bad_body in wrong(headers, body)[:4]:
        with pytest.raises(ValueError):
            names["verified"](bad_headers, bad_body)


def test_the_published_values_belong_together():
    values = r"Secret `(\S+)`, id\n`(\S+)`, timestamp `(\d+)`, body\n`(.+)` make\n"
    headers = r"`webhook-signature: (\S+)` and\n`X-FieldCamp-Signature: (\S+)`"
    found = re.search(values + headers, PAGE)
    assert found
    secret, event_id, timestamp, body, theirs, ours = found.groups()
    assert signatures([secret], event_id, int(timestamp), body.encode()) == (ours, theirs)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_the_integrators_program_syncs_once_after_many_changes(live_server, port, tmp_path):
    workspace = build.workspace()
    build.connection(workspace)
    secret = create_key(workspace=workspace, name="integrator")[1]
    endpoint = make_endpoint(workspace)
    write_python(tmp_path)
    environ = {
        "BASE": f"{live_server.url}/api/v1", "KEY": secret, "PORT": str(port), "QUIET_SECONDS": "0.5",
        "FIELDCAMP_WEBHOOK_SECRET": endpoint.secret,
    }  # fmt: skip
    before = happened(workspace, "visit.created")  # before the program was there
    with running(["python3", "integrator.py"], tmp_path, "listening", **environ) as it:
        by_sync = signed(endpoint)
        assert sent(port, *by_sync) == 204  # `source.kind` is system: nothing to sync
        for _ in range(3):
            headers, body = by_people(endpoint)
            assert sent(port, headers, body) == sent(port, headers, body) == 204
        assert "syn_" in line_with(it, "sync 202")
    assert SyncJob.objects.filter(workspace=workspace).count() == 1
    assert before.pk not in (tmp_path / "state.json").read_text()
    missed = by_people(endpoint)[0]["webhook-id"]  # while it is down
    SyncJob.objects.all().delete()
    with running(["python3", "integrator.py"], tmp_path, missed, **environ) as it:
        line_with(it, "sync 202")


def by_people(endpoint: WebhookEndpoint) -> tuple[dict[str, str], bytes]:
    """A delivery of what somebody did at the desk."""
    delivery = happened(endpoint.workspace, "visit.updated", endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    event = delivery.event
    event.body = bytes(event.body).replace(b'"kind":"system"', b'"kind":"desk"')
    event.save(update_fields=["body"])
    body = body_of(endpoint, event)
    return headers_of(delivery, endpoint, body, attempt=1, now=timezone.now()), body


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_every_call_of_the_page_works_when_pasted(live_server, settings, port, tmp_path):
    """The quickstart, sending again and catching up, in one shell, with the page's own receiver."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    workspace = build.workspace()
    write_python(tmp_path)
    calls = [each for each in blocks("bash") if "$BASE/" in each]
    assert len(calls) == 5
    receiver = (
        'python3 receive.py > received.txt 2>&1 & receiver=$!\ntrap "kill $receiver; cat received.txt >&2" EXIT\n'
    )
    receiver += f"until curl -s -o seen http://127.0.0.1:{port}/; do kill -0 $receiver; sleep 0.1; done\n"
    environ = environment(
        PORT=str(port),
        HOOK=f"http://127.0.0.1:{port}/hooks",
        BASE=f"{live_server.url}/api/v1",
        KEY=create_key(workspace=workspace, name="quickstart")[1],
    )
    script = "\n".join([calls[0], receiver, *calls[1:]])
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and '"success": false' not in done.stdout and '"error":{' not in done.stdout, done
    assert '"enabled":true' in done.stdout and '"queued":0' in done.stdout and '"resume_cursor"' in done.stdout
    assert "visit.updated" in (tmp_path / "received.txt").read_text()
    assert WebhookEndpoint.objects.get().status == WebhookEndpoint.Status.ENABLED

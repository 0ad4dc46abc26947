"""A screen for a company's own people, in one file: how each integration stands, what waits for somebody with buttons
to answer it, and what has changed at the providers. It talks to the FieldCamp API alone, and needs Python 3.11 and
nothing else.

    BASE=https://fieldcamp.example/api/v1 KEY=fc_live_… python3 example_app.py 8080

The key needs integrations:read, integrations:write, problems:read and problems:write. It stays here: browsers see none
of it. Put your own sign-in in front of it.
"""

import html
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BASE, KEY = os.environ["BASE"], os.environ["KEY"]
INTEGRATIONS = ("google-calendar", "outlook-calendar", "quickbooks")
PLACES = Path(os.environ.get("PLACES", "places.json"))  # how far each feed has been read
TOKEN = secrets.token_urlsafe(16)  # in each form, so that no other site posts here


class Refused(Exception):
    """An answer of the API that is no success: its code, its message, and the details that belong to the code."""

    def __init__(self, error):
        self.code, self.details = error["code"], error["details"]
        super().__init__(error["message"])


def call(method, path, body=None, **headers):
    """One call: the answer's JSON and its headers; None for 304. Waits as long as the API asks for, twice at most. A
    POST is sent again with the same Idempotency-Key, so that it is done once."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    if method == "POST":
        headers["Idempotency-Key"] = str(uuid.uuid4())
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(3):
        request = urllib.request.Request(BASE + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response), response.headers
        except urllib.error.HTTPError as refusal:
            if refusal.code == 304:
                return None, refusal.headers
            if refusal.code not in (429, 503) or attempt == 2:
                raise Refused(json.load(refusal)["error"]) from None
            time.sleep(min(int(refusal.headers["Retry-After"]), 30))


def query(path, **parameters):
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urllib.parse.urlencode(given)}" if given else path


def status(integration):
    return call("GET", f"/integrations/{integration}/status")[0]


def sync(integration):
    """Starts a sync and follows it to its end: the job. If one is running already, that one."""
    try:
        job_id = call("POST", f"/integrations/{integration}/sync", {})[0]["job_id"]
    except Refused as refusal:
        if refusal.code != "SYNC_IN_PROGRESS":
            raise
        job_id = refusal.details["active_job_id"]
    job, headers = call("GET", f"/integrations/jobs/{job_id}")
    while job["status"] in ("queued", "running"):
        time.sleep(0.5)
        newer, headers = call("GET", f"/integrations/jobs/{job_id}", If_None_Match=headers["ETag"])
        job = newer or job  # None: nothing has changed
    return job


def changes(integration):
    """What people changed at the provider since this was last asked, each change once."""
    places = json.loads(PLACES.read_text()) if PLACES.exists() else {}
    found, place = [], places.get(integration)
    while True:
        parameters = {"cursor": place} if place else {}
        try:
            page = call("GET", query(f"/integrations/{integration}/sync", refresh="true", **parameters))[0]
        except Refused as refusal:
            if refusal.code != "CURSOR_EXPIRED":
                raise
            # Not asked for longer than the feed keeps: read your records anew, and go on from here.
            parameters = {"since": refusal.details["resync_from"]}
            page = call("GET", query(f"/integrations/{integration}/sync", **parameters))[0]
        found += page["changes"]
        place = page["next_cursor"]
        if not place:
            break
    PLACES.write_text(json.dumps(places | {integration: page["resume_cursor"]}))
    return found


def problems():
    """All that waits for somebody."""
    found, cursor = [], None
    while True:
        page = call("GET", query("/integrations/problems", state="open", cursor=cursor))[0]
        found += page["problems"]
        cursor = page["next_cursor"]
        if not cursor:
            return found


def act(form):
    """Does what a button of the page stands for; what to tell of it."""
    what, name = form["what"], urllib.parse.quote(form.get("id", ""), safe="")
    if what == "sync":
        job = sync(name)
        return f"Synced: {job['status']}, {job['counts']['pulled']} in, {job['counts']['pushed']} out."
    if what == "changes":
        found = changes(name)
        return f"{len(found)} changes: " + ", ".join(f"{each['action']} {each['changed_at']}" for each in found[:10])
    # The tag of what the person has seen: if it has changed meanwhile, nothing is done (412).
    seen = {"If_Match": form["tag"]}
    if what == "answer":
        answer = call("POST", f"/integrations/problems/{name}/answer", {"choice": form["choice"]}, **seen)[0]
        return f"Answered: {answer['outcome']}."
    if what in ("retry", "ignore"):
        call("POST", f"/integrations/problems/{name}/{what}", {}, **seen)
        return "Done."
    return "There is no such button."


def button(label, title="", **fields):
    shown = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in {"token": TOKEN, **fields}.items()
    )
    return f'<form method="post">{shown}<button title="{html.escape(title)}">{html.escape(label)}</button></form>'


def shown_problem(problem):
    detail, headers = call("GET", f"/integrations/problems/{problem['id']}")
    of_it = {"id": problem["id"], "tag": headers["ETag"]}
    buttons = [
        button(choice["label"], choice["effect"], what="answer", choice=choice["id"], **of_it)
        for choice in detail["choices"]
        if "by_field" not in choice["values"]  # those ask for more than a button; the desk has a form for them
    ]
    if problem["can_retry"]:
        buttons.append(button("Try again", what="retry", **of_it))
    texts = "".join(f"<p>{html.escape(problem[name])}</p>" for name in ("message", "next_step"))
    desk = f'<a href="{html.escape(problem["next_action_url"])}">Open in FieldCamp</a>'
    return f"<article><h3>{html.escape(problem['title'])}</h3>{texts}{''.join(buttons)}{desk}</article>"


def page(told=""):
    parts = [f"<p role=status>{html.escape(told)}</p>"]
    for integration in INTEGRATIONS:
        stands = status(integration)
        accounts = ", ".join(f"{each['account']} ({each['state']})" for each in stands["connections"]) or "nobody"
        parts.append(f"<h2>{integration}: {stands['health']}</h2><p>Connected: {html.escape(accounts)}.")
        parts.append(f"Last synced: {stands['last_synced_at'] or 'never'}.</p>")
        if stands["connected"]:
            parts += [
                button("Sync now", what="sync", id=integration),
                button("Changes", what="changes", id=integration),
            ]
    waiting = problems()
    parts.append(f"<h2>{len(waiting)} wait for you</h2>{''.join(shown_problem(each) for each in waiting[:20])}")
    return f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Integrations</title>{''.join(parts)}</html>"


class Screen(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(page)

    def do_POST(self):
        text = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 10_000)).decode()
        form = {name: values[0] for name, values in urllib.parse.parse_qs(text).items()}
        if not secrets.compare_digest(form.get("token", "").encode(), TOKEN.encode()):
            return self.send_error(403)
        return self.answer(lambda: page(act(form)))

    def answer(self, make):
        try:
            status, text = 200, make()
        except Refused as refusal:  # its message is made to be shown
            status, text = 502, f"<p>{html.escape(f'{refusal.code}: {refusal}')}</p>"
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Screen).serve_forever()

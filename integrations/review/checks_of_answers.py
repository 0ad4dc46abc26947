"""What a scanner looks at: how answers are cached, secured and refused, whatever stands in them."""

import re
from typing import Any
from urllib.parse import urlsplit

import requests

from integrations.review.connecting import VendorSide, authorize, connected, consented
from integrations.review.probe import Probe
from integrations.review.seen import Unmet, expect

YEAR = 365 * 86_400
# What holds nobody's data and may be kept by caches: static files, the documentation, the pages for everybody.
PUBLIC = re.compile(r"/(static/.*|api/docs.*|api/v1/schema|privacy|terms|support|disconnected/[\w-]+)?$")
DESK_PAGES = 30  # of those that the first page leads to
HOSTILE_METHODS = ("TRACE", "TRACK", "PROPFIND", "DEBUG", "CONNECT")
ADDRESSES = (
    "/", "/privacy", "/terms", "/support", "/healthz", "/readyz", "/metrics", "/admin/", "/admin/login/",
    "/admin/integrations/connect/quickbooks/", "/admin/workspace/client/", "/accounts/quickbooks/login/callback/",
    "/accounts/google-calendar/login/callback/", "/api/docs", "/api/v1/schema", "/api/v1/visits", "/api/v1/clients",
    "/api/v1/invoices", "/api/v1/integrations/jobs", "/static/fieldcamp/desk.css",
)  # fmt: skip


def nothing_is_kept(probe: Probe) -> str:
    """Walks the desk and the API, errors and unchanged answers among them: all say `no-store`."""
    answers = [*_desk(probe), *_api(probe)]
    kept = [
        f"{answer.request.method} {urlsplit(answer.url).path} ({answer.status_code})"
        for answer in answers
        if not PUBLIC.match(urlsplit(answer.url).path) and "no-store" not in answer.headers.get("Cache-Control", "")
    ]
    expect(not kept, f"May be kept by caches: {', '.join(kept[:10])}.")
    expect(len(answers) > 40, f"Only {len(answers)} addresses could be asked.")
    return f"{len(answers)} answers of the desk and the API; each that has customers' data says no-store."


def _desk(probe: Probe) -> list[requests.Response]:
    first = probe.ask("/admin/", by=probe.owner.session)
    expect(first.status_code == 200, f"/admin/ answered {first.status_code} to the owner.")
    links = dict.fromkeys(re.findall(r'href="(/admin/[^"#]*)"', first.text))
    paths = [path.replace("&amp;", "&") for path in links if "logout" not in path][:DESK_PAGES]
    paths += [
        "/admin/workspace/client/?all=1",
        f"/admin/workspace/client/{probe.company.client_id}/change/",
        "/no/such",
    ]
    return [first, *(probe.ask(path, by=probe.owner.session) for path in paths)]


def _api(probe: Probe) -> list[requests.Response]:
    schema = probe.api("/schema").json()
    known = {"clients": probe.company.client_id, "visits": probe.company.visit_ids["Dana"]}
    answers = []
    for path, operations in schema["paths"].items():
        if "get" not in operations:
            continue
        short = path.removeprefix("/api/v1")
        if "{" in short:
            short = re.sub(r"\{\w+\}", known.get(short.split("/")[1], "unknown"), short)
        answers.append(probe.api(short))
    one = probe.api(f"/visits/{known['visits']}")
    same = probe.api(f"/visits/{known['visits']}", headers={"If-None-Match": one.headers.get("ETag", "")})
    expect(same.status_code == 304, f"A visit that has not changed answered {same.status_code}, not 304.")
    made = probe.api("/api-keys", "POST", json={"name": "Made in the review", "scopes": ["visits:read"]})
    expect(made.status_code == 201, f"Making a key answered {made.status_code}.")
    probe.witness.hide(*(value for value in made.json()["data"].values() if isinstance(value, str)))
    probe.leave_out()
    refused = [probe.api("/visits", key=""), probe.api("/clients", key=probe.company.reading_key)]
    return [*answers, one, same, made, *refused]


def strict_transport(probe: Probe) -> str:
    """Asks whether browsers are told to come by https alone, and whether plain requests are led there."""
    secure = probe.ask("/admin/login/")
    header = secure.headers.get("Strict-Transport-Security", "")
    age = re.search(r"max-age=(\d+)", header)
    expect(age and int(age[1]) >= YEAR, f"Strict-Transport-Security is {header or 'missing'}, not a year.")
    plain = probe.ask("/admin/login/?next=/admin/", plain=True)
    target = plain.headers.get("Location", "")
    expect(plain.status_code in (301, 308), f"A request without TLS answered {plain.status_code}, not a redirect.")
    expect(target.startswith("https://"), f"A request without TLS is led to {target or 'nowhere'}.")
    expect("Strict-Transport-Security" not in plain.headers, "The header is also sent without TLS.")
    return f"{header}; http is led to https with {plain.status_code}."


def unused_methods(probe: Probe) -> str:
    """Sends methods that nobody uses to twenty addresses: refused, and nothing of the request comes back."""
    canary = "xq-canary-7731"
    session = probe.session(**{"X-Canary": canary, "Authorization": f"Bearer {probe.company.key}"})
    wrong = []
    for path in ADDRESSES:
        for method in HOSTILE_METHODS if path in ADDRESSES[:2] else HOSTILE_METHODS[:2]:
            answer = probe.ask(path, method, by=session)
            if answer.status_code < 400 or answer.status_code == 500 or canary in answer.text:
                wrong.append(f"{method} {path} ({answer.status_code})")
    expect(not wrong, f"Not refused: {', '.join(wrong[:8])}.")
    return f"{len(ADDRESSES)} addresses refuse them and echo nothing."


def session_cookies(probe: Probe) -> str:
    """Signs in and looks at the cookies: Secure, HttpOnly and SameSite."""
    browser = probe.browser()
    browser.sign_in(probe.company.username, probe.company.password)
    session = [cookie for cookie in browser.session.cookies if "session" in cookie.name.lower()]
    expect(session, "Signing in sets no session cookie.")
    for cookie in session:
        flags = {name.lower(): str(value or "") for name, value in vars(cookie)["_rest"].items()}
        expect(cookie.secure, f"{cookie.name} is not Secure.")
        expect("httponly" in flags, f"{cookie.name} is not HttpOnly.")
        same = flags.get("samesite", "")
        expect(same.lower() in ("lax", "strict"), f"{cookie.name} has SameSite={same or 'nothing'}.")
        expect(cookie.name.startswith("__Host-"), f"{cookie.name} could be planted by another host of the domain.")
    return f"{', '.join(cookie.name for cookie in session)} is Secure, HttpOnly, SameSite, bound to this host."


def callbacks_show_no_page(probe: Probe, side: VendorSide) -> str:
    """Comes back from the consent in four ways: each is led on with an empty answer, and tells no other site."""
    connected(probe, side)
    callback = f"/accounts/{side.slug}/login/callback/"
    session = probe.owner.session
    done = consented(probe, authorize(probe, side), side.account)
    ways: dict[str, Any] = {"done": probe.ask(done, by=session), "twice": probe.ask(done, by=session)}
    denied = consented(probe, authorize(probe, side), side.account, sandbox_deny="1")
    ways["denied"] = probe.ask(denied, by=session)
    ways["forged"] = probe.ask(f"{callback}?code=abc&state=forged", by=session)
    for name, answer in ways.items():
        expect(answer.status_code in (302, 303), f"{name}: answered {answer.status_code} with a page, not a redirect.")
        expect(not answer.content.strip(), f"{name}: the redirect has a body.")
        expect("code=" not in answer.headers["Location"], f"{name}: the code is passed on.")
        policy = answer.headers.get("Referrer-Policy", "")
        expect(policy == "no-referrer", f"{name}: Referrer-Policy is {policy or 'missing'}, not no-referrer.")
    return f"{', '.join(ways)}: each 302, empty, without a referrer."


def opened_without_login(probe: Probe, path: str, *words: str) -> str:
    """Returns a page that everybody can read. Unmet where it is behind a login, sets a cookie or lacks these words."""
    answer = probe.ask(path)
    if answer.status_code != 200:
        raise Unmet(f"{path} answered {answer.status_code} {answer.headers.get('Location', '')} without a login.")
    expect("password" not in re.findall(r'type="(\w+)"', answer.text), f"{path} is a login.")
    expect(not answer.cookies, f"{path} sets a cookie.")
    for each in words:
        expect(each in answer.text, f"{path} does not say “{each}”.")
    return answer.text

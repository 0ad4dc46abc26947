"""What can be asked of the operator's running site from outside, without a login: its server and its public pages."""

import datetime as dt
import socket
import ssl
import warnings
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import requests

from integrations.review import checks_of_answers as answers
from integrations.review import checks_of_pages as pages
from integrations.review.company import ReviewCompany
from integrations.review.intuit import SECURITY, SIDE, TECHNICAL
from integrations.review.place import Place
from integrations.review.probe import Probe
from integrations.review.running import RowResult, examine
from integrations.review.seen import Unmet, expect
from integrations.review.table import ReviewTable

MISSING = ("not given a name", "has not given", "has not said yet")
NOBODY = ReviewCompany("", "", "", "", "", "", {}, "", {})


def site_results(
    url: str,
    today: dt.date,
    tell: Callable[[RowResult], None] = lambda _: None,
    mount: Callable[[requests.Session], None] = lambda _: None,
) -> list[RowResult]:
    """Returns the rows about the site at this address, which `mount` lets a session reach where no network does."""
    table = ReviewTable("the running site")
    ask = table.ask
    ask("site.tls", "TLS 1.1 and older are refused", SECURITY, partial(old_tls_refused, url=url))
    ask("site.https", "https alone, for a year", SECURITY, answers.strict_transport)
    ask("site.methods", "Methods that nobody uses are off", SECURITY, answers.unused_methods)
    ask("site.home", "Home page", TECHNICAL, partial(pages.home_page, side=SIDE))
    ask("site.terms", "Terms of use", TECHNICAL, pages.terms_of_use)
    ask("site.disconnected", "Landing pages for whoever disconnects at a vendor", TECHNICAL, landing_pages)
    ask("site.operator", "The operator's name, address and support", TECHNICAL, operator_is_named)
    plain = urlsplit(url)._replace(scheme="http", netloc=urlsplit(url).hostname or "").geturl()
    place = Place(url, plain, "", mount, lambda _job: None, str)
    return examine(table, Probe(place, NOBODY), today, tell=tell)


def landing_pages(probe: Probe) -> str:
    """Opens the landing page of each provider."""
    for slug in ("quickbooks", "google-calendar", "outlook-calendar"):
        answers.opened_without_login(probe, f"/disconnected/{slug}", "What is kept")
    return "Each opens without a login."


def operator_is_named(probe: Probe) -> str:
    """Reads the pages for what they say is missing."""
    for path in ("/", "/privacy", "/support"):
        page = answers.opened_without_login(probe, path)
        expect(not any(words in page for words in MISSING), f"{path} says that the operator has not been named.")
    return "Named on the home page, in the privacy policy and on the page of support."


def old_tls_refused(probe: Probe, url: str) -> str:
    """Shakes hands by TLS 1.1, which has to fail, and by a newer version."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise Unmet(f"{url} has no TLS.")
    address = (parts.hostname or "", parts.port or 443)
    new = ssl.create_default_context()
    with (
        socket.create_connection(address, timeout=15) as raw,
        new.wrap_socket(raw, server_hostname=address[0]) as secure,
    ):
        version = secure.version()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.minimum_version = ssl.TLSVersion.TLSv1
    old.set_ciphers("ALL:@SECLEVEL=0")  # else this side already refuses, and nothing is known of the other
    try:
        with socket.create_connection(address, timeout=15) as raw, old.wrap_socket(raw, server_hostname=address[0]):
            raise Unmet("TLS 1.1 is spoken.")
    except (ssl.SSLError, ConnectionError) as refused:
        probe.witness.note(f"TLS 1.1 with {address[0]}", f"refused ({type(refused).__name__})")
    return f"{version} is spoken, TLS 1.1 refused."

"""What a page weighs on the wire, with all that it loads, as it is served after `collectstatic`."""

import re

import pytest
from django.core.management import call_command

from fieldcamp.desk.static_files import StaticFiles
from tests.integrations.admin.conftest import Browser

pytestmark = [pytest.mark.slow, pytest.mark.once]
COLD, WARM, SIGN_IN = 600_000, 60_000, 300_000  # bytes
LATIN = "unicode-range: U+20-7E"


@pytest.fixture
def collected(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.WHITENOISE_USE_FINDERS = False
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=["drf_*", "rest_framework"])


def _loaded(browser: Browser, page: str) -> dict[str, tuple[int, bool]]:
    """Size on the wire and whether browsers keep it for ever, by address, of a page and all that it loads."""
    found: dict[str, tuple[int, bool]] = {}
    waiting = [page]
    while waiting:
        address = waiting.pop()
        answer = browser.get(address, HTTP_ACCEPT_ENCODING="gzip")
        assert answer.status_code == 200, address
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        found[address] = len(body), "immutable" in answer.get("Cache-Control", "")
        text = browser.get(address).getvalue().decode() if address == page or address.endswith(".css") else ""
        links = re.findall(r'<(?:link|script|img)[^>]*(?:href|src)="(/static/[^"]+)"', text)
        for face in re.findall(r"@font-face\s*{([^}]*)}", text):
            if "unicode-range" not in face or LATIN in face:
                links += [_absolute(address, url) for url in re.findall(r'url\("?([^")]+)', face)]
        waiting += [link for link in links if link not in found and link not in waiting]
    return found


def _absolute(sheet: str, url: str) -> str:
    parts = sheet.rpartition("/")[0].split("/")
    while url.startswith("../"):
        parts, url = parts[:-1], url[3:]
    return "/".join([*parts, url])


def test_the_first_page_is_light(desk, ours, collected):
    found = _loaded(desk(), "/admin/")
    assert len(found) > 10 and all(size for size, _ in found.values())
    assert sum(size for size, _ in found.values()) < COLD, found
    assert sum(size for size, kept in found.values() if not kept) < WARM, found


def test_the_sign_in_page_loads_no_scripts_of_the_theme(db, collected):
    found = _loaded(Browser(), "/admin/login/")
    assert sum(size for size, _ in found.values()) < SIGN_IN, found
    assert not [address for address in found if "/unfold/js/" in address]


def test_a_file_that_was_not_collected_keeps_its_name(tmp_path):
    storage = StaticFiles(location=tmp_path, base_url="/static/")
    assert storage.url("fieldcamp/desk.css") == "/static/fieldcamp/desk.css"

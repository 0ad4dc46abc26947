"""Icons are words that a font draws: ours is cut, and shows a word where it lacks the icon."""

import re
from pathlib import Path

from django.conf import settings
from django.test import RequestFactory

from fieldcamp.desk.users import DeskUser
from integrations.admin.navigation import sidebar
from tests.integrations.admin.conftest import login

FOLDER = settings.BASE_DIR / "static/fieldcamp/fonts"
ICON = re.compile(r"<span class=\"[^\"]*material-symbols-outlined[^>]*>([a-z_0-9]+)</span>")


def test_the_font_has_every_icon_that_is_named(db):
    known = set((FOLDER / "icons.txt").read_text().split())
    used = {
        name
        for path in Path(settings.BASE_DIR / "templates").rglob("*.html")
        for name in ICON.findall(path.read_text())
    }
    request = RequestFactory().get("/admin/")
    request.user = login("root", is_superuser=True)
    request._desk_user = DeskUser(request.user, None)
    used |= {item["icon"] for group in sidebar(request) for item in group["items"]}
    assert len(used) > 20
    assert used - known == set()

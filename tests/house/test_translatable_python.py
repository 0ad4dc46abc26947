"""Every word that a person reads and that is made in Python can be translated.

What is English on purpose stands elsewhere: the API and its errors, which the desk shows too where both are refused the
same thing (`workspace.services`, `integrations.services.jobs`), and the sentences that a sync keeps with its jobs and
problems.
"""

import textwrap
from pathlib import Path

import pytest

from tests.house.marked import unmarked

ROOT = Path(__file__).resolve().parents[2]
# The desk and its mails, what they alone call, and the models, whose texts are labels of forms and lists.
SPEAKING = (
    "*/apps.py",
    "fieldcamp/*/apps.py",
    "integrations/admin/*.py",
    "integrations/views/**/*.py",
    "integrations/mail/*.py",
    "integrations/templatetags/*.py",
    "integrations/models/*.py",
    "integrations/reconciliation/causes.py",
    "integrations/reconciliation/verdict.py",
    "integrations/services/setup.py",
    "integrations/services/schedule.py",
    "integrations/services/decisions.py",
    "integrations/services/books/*.py",
    "integrations/services/connect_links/*.py",
    "integrations/services/problems/*.py",
    "fieldcamp/desk/**/*.py",
    "fieldcamp/api/admin.py",
    "fieldcamp/api/expiry.py",
    "fieldcamp/api/models.py",
    "fieldcamp/webhooks/models.py",
    "fieldcamp/webhooks/admin/*.py",
    "fieldcamp/api/scope_table.py",
    "fieldcamp/workspace/admin/*.py",
    "fieldcamp/workspace/models/*.py",
    "fieldcamp/workspace/history.py",
    "fieldcamp/workspace/addresses.py",
    "fieldcamp/workspace/logins.py",
    "fieldcamp/workspace/team.py",
)
MODULES = sorted({path for pattern in SPEAKING for path in ROOT.glob(pattern)})
NAME, CODE, STORED, UNSEEN, OPERATOR = (
    "the product's name",
    "code, not words",
    "kept with a record in English, as the API shows it",
    "of rows that no page names",
    "for whoever runs the site",
)
ALLOWED = {
    "FieldCamp Integrations": NAME,
    "Integrations": NAME,
    'attachment; filename="{}"': CODE,
    "api": CODE,
    "webhooks": CODE,
    "integrations_connectlink": CODE,
    "description": CODE,  # the name of a field that a service takes
    "made by this sync: ": CODE,  # in the place of an id
    "Active Client": STORED,
    "Deleted in {}": STORED,
    "{} is not a time zone of the IANA database, such as America/New_York.": STORED,
    "books of {}": UNSEEN,
    "calls of {}": UNSEEN,
    "grant of {}": UNSEEN,
    "push mark of {}": UNSEEN,
    "{} of {}": UNSEEN,
    "{} for {}": UNSEEN,
    "{} to {}": UNSEEN,
    "{} of {} removals in {}": UNSEEN,
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_word_can_be_translated(path):
    found = unmarked(path.read_text())
    assert [str(each) for each in found if each.text not in ALLOWED] == []


def test_nothing_is_allowed_that_is_not_there():
    found = {each.text for path in MODULES for each in unmarked(path.read_text())}
    assert ALLOWED.keys() - found == set()


def test_every_folder_of_the_desk_is_looked_at():
    for pattern in SPEAKING:
        assert list(ROOT.glob(pattern)), pattern
    desk = [path for folder in ("admin", "views", "mail") for path in (ROOT / "integrations" / folder).rglob("*.py")]
    assert set(desk) <= set(MODULES)


IMPORTS = (
    "from django.utils.translation import gettext, ngettext\nfrom django.utils.translation import gettext_lazy as _\n"
)


def in_a_function(source: str) -> str:
    return f"{IMPORTS}def page(self):\n{textwrap.indent(source, '    ')}"


@pytest.mark.parametrize(
    "source",
    [
        'messages.success(request, "The account is paused.")',
        'messages.success(request, f"{name} is paused.")',
        'messages.success(request, f"Delete {name}?")',
        'raise SetupError("target", "Choose a calendar.")',
        'words = {"start": "Start"}',
        'labels = ["E-mail"]',
        'return "Yes" if value else "No"',
        '" and ".join(names)',
        'RecordAction("Send", run)',
        'field = forms.CharField(label="name")',
        'field = forms.CharField(help_text="in %, with a dot")',
        'class StatusFilter:\n    title = "status"',
        'class Rows:\n    verbose_name, verbose_name_plural = _("line"), "lines"',
        'class Status(TextChoices):\n    SENT = "sent", "Sent"',
        'name = models.CharField("SKU of it", max_length=9)',
        '@display(description="state")\ndef state(self): ...',
        'def action(self, done="It is done."): ...',
        'about.short_description = "what it is"',
        '_(f"{name} is paused.")',
        'gettext("paused by %s" % name)',
        "gettext(name)",
        'gettext("Paused " + name)',
        'ngettext("one thing", f"{number} things", number)',
        'gettext("{name} is here.").format(name="Some body")',
    ],
)
def test_the_check_finds_what_is_not_marked(source):
    assert unmarked(in_a_function(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        'TITLE = gettext("Translated too early")',
        'class Page:\n    title = gettext("Translated too early")',
        'def page(title=gettext("Translated too early")): ...',
        '@display(description=gettext("Translated too early"))\ndef page(): ...',
    ],
)
def test_the_check_finds_what_is_translated_before_anybody_reads_it(source):
    assert "translated when the module is loaded" in [each.why for each in unmarked(IMPORTS + source)]
    assert unmarked(IMPORTS + source.replace("gettext(", "_(")) == []


@pytest.mark.parametrize(
    "source",
    [
        'when = date_format(day, "D j M Y, H:i")',
        'kind = "text/csv; charset=utf-8"',
        'def page(self):\n    """Shows the page."""',
        'messages.success(request, gettext("{name} is paused.").format(name=name))',
        'said = ngettext("{number} visit stays.", "{number} visits stay.", number).format(number=number)',
        'label = _(\n    "Visits go into the calendar, and moving an event there "\n    "moves the visit."\n)',
        'TITLES = {"page": _("Translated when it is shown")}',
        'titles = lambda: gettext("Translated when it is shown")',
        'log.info("Something was done", key=1)',
        'raise TypeError("No such argument here.")',
        'request.GET["Some Key"] == "Some Value"',
        'headers = {"Content-Type": kind, "HX-Refresh": "true"}',
        'url = f"admin:{app}_{model}_change"',
        '__all__ = ["Connection", "Stream"]',
        'key = "-".join([verb, pk])',
        'place = f"{label}: {name}"',
    ],
)
def test_the_check_leaves_the_rest(source):
    assert unmarked(in_a_function(source)) == []


def test_a_docstring_is_not_read():
    assert unmarked('"""A module with a docstring of many words."""') == []


def test_only_djangos_own_functions_mark():
    assert unmarked('def gettext(text): ...\nsaid = gettext("Not really marked.")') != []
    assert unmarked('from django.utils.translation import gettext_lazy as t\nsaid = t("Really marked.")') == []

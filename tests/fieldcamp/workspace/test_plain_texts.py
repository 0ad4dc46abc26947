"""Text of one line is refused alike at the desk and by the API where it controls, turns, or shows nothing."""

import datetime as dt

import pytest
from django import forms
from django.core.mail.backends.locmem import EmailBackend as LocMem
from django.urls import get_resolver
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework.serializers import CharField

from fieldcamp.api.expiry import warn
from fieldcamp.api.serializers import StrictSerializer
from fieldcamp.api.services import create_key
from fieldcamp.desk.forms import PlainTexts
from fieldcamp.spreadsheets import csv_line
from fieldcamp.workspace.admin.forms import ClientForm, MemberForm, SettingsForm, VisitForm
from fieldcamp.workspace.admin.money_forms import InvoiceForm, ItemForm, LineForm, PaymentForm, TaxForm
from fieldcamp.workspace.models import Client, Member, Workspace
from fieldcamp.workspace.rest import serializers
from tests.fieldcamp.workspace.admin.test_logins import invite, link_in
from tests.integrations.admin.conftest import *  # noqa: F403
from tests.integrations.admin.conftest import pages_of
from tests.integrations.admin.test_records import errors_of, form_of, member_page

BAD = ("a\nBcc: evil@x.test", "\x01\x1b", "a\x85b", "\u202egnp.exe", "\u200b", "\u3164")
OWN = ("fieldcamp.", "integrations.")


def kinds_of(base: type) -> set[type]:
    """All of the product's classes below this one; reading its addresses has imported them."""
    assert get_resolver().url_patterns
    below = {deeper for each in base.__subclasses__() for deeper in (each, *kinds_of(each))}
    return {each for each in below if each.__module__.startswith(OWN)}


def test_every_text_of_a_body_and_every_form_is_held_to_it():
    lax = {
        (serializer.__name__, name)
        for serializer in kinds_of(StrictSerializer)
        for name, field in serializer().fields.items()
        if isinstance(getattr(field, "child", field), CharField) and not field.read_only
        if not isinstance(getattr(field, "child", field), serializers.StrictCharField)
    }
    assert lax == set()
    # That of a forgotten password has an e-mail address alone.
    forms_without = {form.__name__ for form in kinds_of(forms.BaseForm) if not issubclass(form, PlainTexts)}
    assert forms_without <= {"ForgottenForm", "PlainTexts"}


def test_the_api_refuses_it_in_every_text():
    tried = 0
    for serializer in sorted(kinds_of(StrictSerializer), key=str):
        for name, field in serializer().fields.items():
            if field.read_only or not isinstance(field, serializers.StrictCharField):
                continue
            tried += 1
            for text in BAD:
                several = field.lines and text == BAD[0]
                answer = serializer(data={name: text}, partial=True)
                assert (name in answer.errors if not answer.is_valid() else False) is not several, (name, text)
    assert tried > 25


@pytest.mark.parametrize(
    "form",
    [ClientForm, MemberForm, SettingsForm, VisitForm, ItemForm, TaxForm, InvoiceForm, PaymentForm, LineForm],
)
def test_the_desk_refuses_it_in_every_text(form, db):
    """Whatever else is missing in these: each of the texts is complained of by itself."""
    fields = form().fields
    names = {name for name, field in fields.items() if isinstance(field, forms.CharField)} - {"parts"}
    assert names
    for text in BAD:
        errors = form(MultiValueDict({name: [text] for name in names})).errors
        several = (
            {name for name in names if isinstance(fields[name].widget, forms.Textarea)} if text == BAD[0] else set()
        )
        assert names & errors.keys() == names - several, text


def test_a_company_name_never_splits_a_header(desk, ours, mailoutbox):
    page = f"/admin/workspace/workspace/{ours.workspace.pk}/change/"
    data = form_of(desk(), page) | {"name": "Dana's Plumbing\nBcc: evil@x.test"}
    assert "line break" in errors_of(desk().post(page, data))
    # One that came in another way does no harm, either.
    Workspace.objects.update(name="Dana's\r\nBcc: evil@x.test")
    Member.objects.filter(pk=ours.tech.pk).update(first_name="Win at http://evil.test/x www.evil.test now")
    assert "on its way" in invite(desk(), ours.tech)
    mail = mailoutbox[0]
    assert mail.subject == "Your login for Dana's Bcc: evil x. test at FieldCamp"
    assert "Hello Win at now," in mail.body and "evil.test" not in mail.body and mail.bcc == []
    assert link_in(mail)


@pytest.mark.slow
def test_what_stands_there_already_hinders_no_other_edit(desk, ours):
    Client.objects.filter(pk=ours.client.pk).update(display_name="From the\tbooks")
    page = pages_of(ours)["client"]
    data = form_of(desk(), page) | {"email": "new@x.test"}
    assert desk().post(page, data).status_code == 302
    client = Client.objects.get(pk=ours.client.pk)
    assert (client.email, client.display_name) == ("new@x.test", "From the\tbooks")


@pytest.mark.parametrize("email", ['"\x01"@x.test', '"http://evil.test/"@x.test'])
def test_a_quoted_address_hides_nothing(email, desk, ours):
    data = form_of(desk(), member_page(ours.tech)) | {"email": email}
    assert "quotation marks" in errors_of(desk().post(member_page(ours.tech), data))


def test_keys_are_named_in_one_line(api):
    for text in BAD:
        assert api.post("/api/v1/api-keys", {"name": text, "scopes": ["visits:read"]}).status_code == 400


def test_the_zone_of_the_server_is_none_of_a_company(api, make_visit):
    for zone in ("localtime", "Factory"):
        assert api.patch(f"/api/v1/visits/{make_visit().pk}", {"timezone": zone}).status_code == 400, zone


def test_no_cell_of_a_table_becomes_two():
    assert csv_line(["a;=HYPERLINK(1)", '"', None, -5]) == '"a;=HYPERLINK(1)","""","","-5"\r\n'


def test_one_mail_that_fails_keeps_none_of_the_others(workspace, second_workspace, mailoutbox, monkeypatch):
    """And what it says of a key reads as no address."""
    end = timezone.now() + dt.timedelta(days=3)
    for company in (workspace, second_workspace):
        Member.objects.create(workspace=company, first_name="O", role="owner", email=f"{company.pk}@x.test")
        create_key(workspace=company, name="at http://evil.test now", expires_at=end)
    first = []

    def once(backend, mails):
        if not first:
            first.append(mails)
            raise ValueError("a header of two lines")
        return sent(backend, mails)

    sent = LocMem.send_messages
    monkeypatch.setattr(LocMem, "send_messages", once)
    assert warn(timezone.now()) == 1
    assert "key at now" in mailoutbox[0].subject and "evil" not in mailoutbox[0].body
    assert warn(timezone.now()) == 1  # the one that failed

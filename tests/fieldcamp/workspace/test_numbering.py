"""The numbers of invoices: the next is above all that were given or seen, and is nobody else's."""

import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.invoicing import create_invoice, void_invoice
from fieldcamp.workspace.models import Invoice, Workspace
from fieldcamp.workspace.numbering import next_number, numbers_taken, renumber_invoice, serial_of

LINE = {"description": "Work", "quantity": 1, "unit_price": 10}


@pytest.fixture
def bill(workspace, make_client):
    client = make_client()

    def bill(number: str = "", **fields) -> Invoice:
        return create_invoice(workspace=workspace, client_id=client.pk, number=number, lines=[LINE], **fields)

    return bill


def plain(number: str) -> str:
    """The number as a person reads it."""
    text = unicodedata.normalize("NFKC", number).strip()
    return text.lstrip("0") if text.isdigit() else text


@pytest.mark.slow
@pytest.mark.django_db
def test_counting_beyond_its_end_costs_no_more_with_each_invoice(workspace, bill, django_assert_max_num_queries):
    """A person has given the highest number that is counted on from."""
    first = bill("999999999999999")
    same = {"workspace": workspace, "client": first.client, "date": first.date}
    made = [str(10**15 + number) for number in range(1000)]
    Invoice.objects.bulk_create([Invoice(number=number, **same) for number in made])
    with django_assert_max_num_queries(25):
        assert next_number(workspace) == str(10**15 + 1000)
    Invoice.objects.filter(number=made[700]).update(number="A-1")
    assert next_number(workspace) in (made[700], str(10**15 + 1000))


@pytest.mark.slow
@given(
    elsewhere=st.lists(
        st.integers(1, 10**20).map(str)
        | st.integers(990, 1030).map("{:06}".format)
        | st.from_regex(r" ?[0-9]{1,18} ?|[A-Z]-[0-9]{1,4}|\uff13[0-9]{3}|", fullmatch=True),
        max_size=5,
    ),
    own=st.lists(st.integers(1000, 1010).map(str) | st.integers(1, 10**18).map(str), max_size=2, unique=True),
)
@example(elsewhere=["999999999999"], own=[])
@example(elsewhere=["999999999999999"], own=[])
@example(elsewhere=["9" * 18], own=["1001"])
@example(elsewhere=[], own=["999999999999999999"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ten_invoices_have_numbers_of_their_own(workspace, bill, elsewhere, own):
    Invoice.objects.all().delete()
    Workspace.objects.update(numbers_taken_to=0)
    for number in own:
        bill(number)
    numbers_taken(workspace_id=workspace.pk, numbers=elsewhere)
    made = [bill().number for _ in range(10)]
    assert len({*made}) == 10 and not {*map(plain, made)} & {*map(plain, [*elsewhere, *own])}


@pytest.mark.slow
@given(
    steps=st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(
                ["999999999999", "999999999999999", "9" * 18, "9" * 21, "１００２", "0001003", "1004", "A-1"]
            )
            | st.integers(1, 10**21 - 1).map(str)
            | st.text(st.characters(categories=("Nd", "Nl", "No", "L")), min_size=1, max_size=21),
        ),
        max_size=6,
    )
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_number_that_is_given_stops_those_that_are_made(api, make_client, bill, steps):
    """By create and by edit, over the API: whatever was answered, three more invoices have numbers of their own."""
    Invoice.objects.all().delete()
    path, client = "/api/v1/invoices", make_client()
    new = {"clientId": client.pk, "lines": []}
    drafts = [bill().pk]
    for edits, number in steps:
        if edits:
            answer = api.patch(f"{path}/{drafts[-1]}", {"number": number})
        else:
            answer = api.post(path, new | {"number": number})
        assert answer.status_code in (200, 201, 400), answer.content
        if answer.status_code == 201:
            drafts.append(answer.json()["data"]["id"])
    taken = {*Invoice.objects.values_list("number", flat=True)}
    made = [api.post(path, new) for _ in range(3)]
    assert [answer.status_code for answer in made] == [201] * 3
    numbers = {answer.json()["data"]["number"] for answer in made}
    assert len(numbers) == 3 and not numbers & taken


def test_what_was_seen_is_not_forgotten(workspace, bill):
    numbers_taken(workspace_id=workspace.pk, numbers=["3050", "A-7"])
    numbers_taken(workspace_id=workspace.pk, numbers=["12", ""])
    assert (next_number(workspace), bill().number, bill("77").number, bill().number) == ("3051", "3051", "77", "3052")


def test_one_workspace_counts_without_the_other(workspace):
    other = Workspace.objects.create(name="Other")
    numbers_taken(workspace_id=other.pk, numbers=["9000"])
    assert (next_number(workspace), next_number(other)) == ("1001", "9001")


def test_an_invoice_with_somebody_elses_number_gets_the_next(workspace, bill):
    numbers_taken(workspace_id=workspace.pk, numbers=["3050"])
    invoice = bill("3050", send=True)
    renumbered = renumber_invoice(workspace=workspace, invoice_id=invoice.pk)
    assert (renumbered.number, renumbered.version) == ("3051", invoice.version + 1)
    assert bill().number == "3052"


def test_a_void_invoice_keeps_its_number(workspace, bill):
    invoice = bill(send=True)
    void_invoice(workspace=workspace, invoice_id=invoice.pk)
    with pytest.raises(InvalidTransition, match="is void"):
        renumber_invoice(workspace=workspace, invoice_id=invoice.pk)


@pytest.mark.parametrize(
    ("number", "serial"),
    [("1001", 1001), ("0042", 42), (" 7 ", 7), ("３０５０", 3050), ("9" * 18, 10**18 - 1), ("9" * 19, None),
     ("A-7", None), ("7a", None), ("", None), ("-7", None)],
)  # fmt: skip
def test_what_is_counted_on_from(number, serial):
    assert serial_of(number) == serial

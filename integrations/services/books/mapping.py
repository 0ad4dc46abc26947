"""Which tax code and which item of the books stand for which of FieldCamp's. What waited for it is tried at once."""

from collections.abc import Callable, Mapping

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models import Invoice, InvoiceLine, Item, TaxRate
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import INVOICE, ITEM, KINDS, TAX
from integrations.ledger.dirty import write_rows
from integrations.models import BooksSettings, Connection, Direction, Link, Problem, Stream, SyncJob
from integrations.providers.base import BooksClient
from integrations.records import Company, Reference, RemoteRecord
from integrations.services.books.setup import Choices, active, named, open_books, read_choices
from integrations.services.decisions import sync_links_now
from integrations.services.setup import SetupError

# What the forms say, too.
CHOOSE_ACCOUNT = _("Choose an income account that is active.")
CHOOSE_ITEM = _("Choose an item that is active, or none.")
CHOOSE_ACTIVE = _("Choose one that is active, or none.")
CATEGORIES = ("class", "location", "terms")  # what new invoices are sorted by there, and their terms
CHOOSE_OWN = _("Choose a record of this company.")

_OF: dict[str, type[TaxRate] | type[Item]] = {TAX.name: TaxRate, ITEM.name: Item}


def map_tax(*, connection: Connection, tax_rate: TaxRate, code_id: str, user: Actor | None) -> SyncJob | None:
    """Says which tax code this tax rate is; "" lets go of the one that it has."""
    return map_records(connection=connection, kind=TAX.name, chosen={tax_rate.pk: code_id}, user=user)


def map_item(*, connection: Connection, item: Item, item_id: str, user: Actor | None) -> SyncJob | None:
    """Says which item of the books this item is; "" lets go of the one that it has."""
    return map_records(connection=connection, kind=ITEM.name, chosen={item.pk: item_id}, user=user)


def map_records(*, connection: Connection, kind: str, chosen: Mapping[str, str], user: Actor | None) -> SyncJob | None:
    """Maps several records of one kind at once, by their ids; answers with the job that tries what waited, if one
    could be started. Raises SetupError, whose field is the record, and ProviderError."""
    stream = connection.streams.filter(kind=kind, is_active=True).first()
    if stream is None:
        raise SetupError("", gettext("Finish setting up these books first."))
    unknown = _unknown(stream, chosen.values())
    found = open_books(connection).get(stream.container_id, unknown) if unknown else {}
    with transaction.atomic():
        before = mapped(connection, kind)
        changed = {pk: remote_id for pk, remote_id in chosen.items() if before.get(pk, "") != remote_id}
        if not changed:
            return None
        if set(changed) - set(_mine(connection, kind, changed)):
            raise SetupError("", CHOOSE_OWN)
        for record_id in changed:
            _let_go(stream, record_id)
        for record_id, remote_id in changed.items():
            if remote_id:
                _bind(stream, record_id, remote_id, found.get(remote_id))
        _look_again(connection)
        audit_connection("mapped", connection, user, before={pk: before.get(pk, "") for pk in changed}, after=changed)
    return try_what_waited(connection, user)


def set_defaults(
    *,
    connection: Connection,
    income_account_id: str,
    default_item_id: str,
    user: Actor | None,
    categories: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    choices: Choices | None = None,
    unchanged: Callable[[], None] | None = None,
) -> SyncJob | None:
    """Sets the account that new items sell to, the item that stands for lines without one, and by id which class,
    location and terms new invoices get (`CATEGORIES`; one that is left out stays as it is; `columns` in their place
    where the provider was asked for them already: `columns_of_categories`). `unchanged` is called under the settings'
    lock, before anything is written."""
    choices = choices or read_choices(connection)
    account, item = named(choices.income_accounts, income_account_id), named(choices.items, default_item_id)
    writes = connection.streams.filter(is_active=True).exclude(direction=Direction.PULL).exists()
    if account is None and (income_account_id or writes):
        raise SetupError("income_account", CHOOSE_ACCOUNT)
    if item is None and default_item_id:
        raise SetupError("default_item", CHOOSE_ITEM)
    wanted = {
        "income_account_id": account.id if account else "",
        "income_account_name": account.name[:255] if account else "",
        "default_item_id": item.id if item else "",
        "default_item_name": item.name[:255] if item else "",
        **(columns_of_categories(connection, categories or {}) if columns is None else columns),
    }
    with transaction.atomic():
        settings = BooksSettings.objects.select_for_update().get(connection=connection)
        if unchanged:
            unchanged()
        before = {name: getattr(settings, name) for name in wanted}
        if before == wanted:
            return None
        BooksSettings.objects.filter(pk=settings.pk).update(**wanted)
        audit_connection("defaults_chosen", connection, user, before=before, after=wanted)
    return try_what_waited(connection, user)


def columns_of_categories(connection: Connection, chosen: Mapping[str, str]) -> dict[str, str]:
    """Returns the columns of what was chosen, as the books call it. Raises SetupError."""
    settings = BooksSettings.objects.filter(connection=connection).first()
    columns: dict[str, str] = {}
    for name, id in chosen.items():
        known = settings is not None and getattr(settings, f"{name}_id") == id
        one = named(active(open_books(connection).references(name)), id) if id and not known else None
        if id and not known and one is None:
            raise SetupError(name, CHOOSE_ACTIVE)
        if not known:
            columns |= {f"{name}_id": id, f"{name}_name": one.name[:255] if one else ""}
    return columns


def categories_of(books: BooksClient, company: Company | None) -> dict[str, list[Reference]]:
    """Returns what new invoices may be sorted by in this company, and its terms; each list is asked for."""
    has = {"class": bool(company and company.class_tracking), "location": bool(company and company.locations)}
    return {name: active(books.references(name)) for name in CATEGORIES if has.get(name, True)}


def mapped(connection: Connection, kind: str) -> dict[str, str]:
    """Returns what stands for what: our records' ids and those in the books."""
    links = _live(connection, kind).linked()
    return dict(links.values_list("record_id", "remote_id"))


def waiting(connection: Connection, *reasons: ProblemReason) -> int:
    """Returns how many records wait for a person to map something."""
    open_ones = Problem.objects.open().filter(connection=connection, code=ProblemCode.RECORD_REJECTED)
    return open_ones.filter(data__reason__in=reasons).count()


def _live(connection: Connection, kind: str):
    return Link.objects.present().filter(stream__connection=connection, stream__kind=kind)


def _mine(connection: Connection, kind: str, ids: Mapping[str, str]) -> list[str]:
    rows = _OF[kind].objects.alive().filter(workspace_id=connection.workspace_id, pk__in=list(ids))
    return list(rows.values_list("pk", flat=True))


def _unknown(stream: Stream, remote_ids) -> list[str]:
    """Returns those that no sync has seen yet."""
    wanted = {remote_id for remote_id in remote_ids if remote_id}
    seen = Link.objects.filter(stream=stream, remote_id__in=wanted, seen__isnull=False)
    return sorted(wanted - set(seen.values_list("remote_id", flat=True)))


def _let_go(stream: Stream, record_id: str) -> None:
    """Leaves the counterpart to nobody; a create that has not come about is forgotten."""
    links = Link.objects.live().filter(stream=stream, record_id=record_id)
    links.filter(seen__isnull=True, intent__isnull=True).delete()
    links.update(record_id="", base=None, unsettled=True, parked=False, decision=None)


def _bind(stream: Stream, record_id: str, remote_id: str, record: RemoteRecord | None) -> None:
    link = Link.objects.select_for_update().filter(stream=stream, remote_id=remote_id).first()
    if link is None and record is not None and not record.gone:
        seen = KINDS[stream.kind].pick(record.fields)
        link = Link(stream=stream, kind=stream.kind, remote_id=remote_id, seen=seen, seen_tag=record.tag)
    if link is None or not link.is_present or not link.seen or link.seen.get("active") is False:
        raise SetupError(record_id, gettext("This one is not there any more, or inactive. Choose another."))
    if link.record_id and _is_used(stream.kind, link.record_id):
        taken = gettext("“{name}” stands for another record, which is used. Choose another for that first.")
        raise SetupError(record_id, taken.format(name=link.seen.get("name")))
    link.record_id, link.base, link.unsettled, link.parked, link.decision = record_id, None, True, False, None
    link.save()


def _is_used(kind: str, record_id: str) -> bool:
    """Returns whether documents of FieldCamp name it; what nobody uses gives its place up."""
    if kind == TAX.name:
        return Invoice.objects.filter(tax_rate=record_id).exists()
    return InvoiceLine.objects.filter(item=record_id).exists()


def _look_again(connection: Connection) -> None:
    """Makes the invoices dirty again that wait for a mapping, or were refused for the one before."""
    stream = connection.streams.filter(kind=INVOICE.name).first()
    problems = Problem.objects.open().filter(
        connection=connection,
        record_kind=INVOICE.name,
        data__reason__in=(ProblemReason.TAX_MAPPING, ProblemReason.ITEM_MAPPING),
    )
    if stream is None or not (ids := list(problems.values_list("record_id", flat=True))):
        return
    Link.objects.filter(stream=stream, record_id__in=ids, parked=True).update(parked=False, unsettled=True)
    write_rows([(stream.pk, record_id, 0) for record_id in ids], INVOICE.name)


def try_what_waited(connection: Connection, user: Actor | None) -> SyncJob | None:
    """Tries what waited; before its first sync the company waits for a person to start that."""
    if user is None or connection.streams.filter(is_active=True, first_synced_at=None).exists():
        return None
    return sync_links_now(connection, None, user)

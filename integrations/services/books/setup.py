"""Setting up the books of one company: what is chosen is checked with the provider, and nothing syncs before it."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.accounts.clients import open_remote
from integrations.books.facts import DOCUMENTS, columns_of, take_currency
from integrations.events.connections import connection_moved
from integrations.kinds import BOOKS, CUSTOMER, INVOICE, ITEM, TAX
from integrations.models import BooksSettings, ConflictPolicy, Connection, ConnectionState, Direction, Stream
from integrations.providers import PROVIDERS
from integrations.providers.base import BooksClient
from integrations.records import Company, Container, Reference
from integrations.services.setup import (
    CHOOSE_DIRECTION,
    CHOOSE_WINNER,
    SetupError,
    kept_elsewhere,
    other_books,
    ready_state,
)

log = structlog.get_logger(__name__)

_SETTABLE = (ConnectionState.SETUP, ConnectionState.ACTIVE, ConnectionState.PAUSED)
SAY_SHARED = _("Say that this company's books are to be written by both, or connect another company.")


@dataclass(frozen=True)
class Choices:
    """What the provider says of the company, and what there is to choose from; inactive ones are left out."""

    company: Company
    income_accounts: list[Reference]
    items: list[Reference]
    kinds: dict[str, Container]


def open_books(connection: Connection, **kwargs: Any) -> BooksClient:
    return cast(BooksClient, open_remote(connection, **kwargs))


def read_choices(connection: Connection) -> Choices:
    """Asks the provider. Raises ProviderError."""
    books = cast(BooksClient, open_remote(connection))
    # A provider of books lists its containers in the order of its kinds.
    kinds = dict(zip(PROVIDERS[connection.integration].kinds, books.containers(), strict=True))
    return Choices(books.company(), active(books.references("income_account")), active(books.references("item")), kinds)


def active(references: Iterable[Reference]) -> list[Reference]:
    return sorted((one for one in references if one.active), key=lambda one: one.name.casefold())


def set_up_books(
    *,
    connection: Connection,
    income_account_id: str = "",
    default_item_id: str = "",
    import_customers: bool = True,
    import_items: bool = True,
    invoices_from: dt.date | None = None,
    direction: str = Direction.TWO_WAY,
    policy_lists: str = ConflictPolicy.LOCAL,
    policy_documents: str = ConflictPolicy.ASK,
    shared: bool = False,
    user: Actor | AnonymousUser | None = None,
    choices: Choices | None = None,
    categories: Mapping[str, str] | None = None,
    unchanged: Callable[[], None] | None = None,
) -> Connection:
    """Takes the choices; from now on the company syncs. `unchanged` is called under the connection's lock, before
    anything is written. Raises SetupError, ProviderError, and what `unchanged` raises.

    `choices` are what the provider has just said, where it was asked already. `categories` are the columns of what
    new invoices are sorted by, where that is chosen along with it (`mapping.columns_of_categories`). `shared`: it is
    known, and meant, that another workspace writes into the same books.
    """
    if connection.state not in _SETTABLE:
        raise SetupError("", gettext("Connect this company again first."))
    if direction not in Direction.values:
        raise SetupError("direction", CHOOSE_DIRECTION)
    for field, policy in (("policy_lists", policy_lists), ("policy_documents", policy_documents)):
        if policy not in ConflictPolicy.values:
            raise SetupError(field, CHOOSE_WINNER)
    if connection.state == ConnectionState.SETUP and not shared and kept_elsewhere(connection):
        raise SetupError("shared", SAY_SHARED)
    choices = choices or read_choices(connection)
    label = PROVIDERS[connection.integration].label
    account = named(choices.income_accounts, income_account_id)
    if account is None and (income_account_id or direction != Direction.PULL):
        raise SetupError(
            "income_account", gettext("Choose an income account of {provider} that is active.").format(provider=label)
        )
    item = named(choices.items, default_item_id)
    if item is None and default_item_id:
        raise SetupError(
            "default_item", gettext("Choose an item of {provider} that is active, or none.").format(provider=label)
        )
    wanted = {
        "income_account_id": account.id if account else "",
        "income_account_name": account.name[:255] if account else "",
        "default_item_id": item.id if item else "",
        "default_item_name": item.name[:255] if item else "",
        "import_customers": import_customers,
        "import_items": import_items,
        "invoices_from": invoices_from,
    }
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if unchanged:
            unchanged()
        if connection.state not in _SETTABLE:  # while the provider was asked somebody may have disconnected it
            raise SetupError("", gettext("Connect this company again first."))
        if other_books(connection).exists():
            other = gettext("Another company of {provider} is connected. Disconnect that one first.")
            raise SetupError("", other.format(provider=label))
        settings, _ = BooksSettings.objects.select_for_update().get_or_create(connection=connection)
        beside = dict(categories or {})
        before = {**chosen(connection), **{name: getattr(settings, name) for name in beside}}
        again = _brings_more(settings, wanted)
        for name, value in {**wanted, **beside, **columns_of(choices.company)}.items():
            setattr(settings, name, value)
        settings.save()
        take_currency(connection.workspace_id, choices.company)
        for kind in BOOKS:
            lists = policy_documents if kind.name in DOCUMENTS else policy_lists
            # The books know what the law asks: tax codes are read, never written.
            reads = kind is TAX
            _save_stream(
                connection,
                kind.name,
                choices.kinds[kind.name],
                Direction.PULL if reads else direction,
                ConflictPolicy.REMOTE if reads else lists,
                again=kind.name in again,
            )
        state = connection.state
        if state == ConnectionState.SETUP:
            connection.fresh_from = timezone.now()
        connection.state, connection.state_reason = ready_state(connection), ""
        connection.save(update_fields=["state", "state_reason", "fresh_from"])
        connection_moved(connection, state, user=user)
        audit_connection("set_up", connection, user, before=before, after={**chosen(connection), **beside})
    log.info("books_set_up", connection_id=connection.pk, direction=direction)
    return connection


def named(references: Iterable[Reference], id: str) -> Reference | None:
    return next((one for one in references if id and one.id == id), None)


def refresh_company(connection: Connection) -> Company:
    """Asks again what the company is like. Raises ProviderError."""
    company = open_books(connection).company()
    BooksSettings.objects.update_or_create(connection=connection, defaults=columns_of(company))
    take_currency(connection.workspace_id, company)
    return company


def known_company(connection: Connection) -> Company | None:
    """Returns what the provider last said of the company."""
    return company_of(BooksSettings.objects.filter(connection=connection).first())


def company_of(settings: BooksSettings | None) -> Company | None:
    """Returns the company that these settings hold, as far as it is known, without its id."""
    if settings is None or not settings.company:
        return None
    names = Company.__dataclass_fields__
    return Company(**{"id": "", **{name: value for name, value in settings.company.items() if name in names}})


def _brings_more(settings: BooksSettings, wanted: Mapping[str, Any]) -> set[str]:
    """Returns the kinds of which records were passed over until now that these choices let in."""
    kinds: set[str] = set()
    if wanted["import_customers"] and not settings.import_customers:
        kinds.add(CUSTOMER.name)
    if wanted["import_items"] and not settings.import_items:
        kinds.add(ITEM.name)
    since, until_now = wanted["invoices_from"], settings.invoices_from
    if until_now and (since is None or since < until_now):
        kinds.update(DOCUMENTS)
    return kinds


def _save_stream(
    connection: Connection, kind: str, container: Container, direction: str, policy: str, *, again: bool
) -> None:
    stream = Stream.objects.filter(connection=connection, container_id=container.id).first()
    if stream is None:
        stream = Stream(connection=connection, container_id=container.id, direction=direction)
    # What the old direction held back is found by reading everything.
    if again or (direction != stream.direction and stream.direction != Direction.TWO_WAY):
        stream.cursor, stream.window_end = "", None
    stream.kind, stream.container_name, stream.is_active = kind, container.name, True
    stream.direction, stream.policy = direction, policy
    stream.save()


def chosen(connection: Connection) -> dict[str, Any]:
    """Returns the company's choices, as the set-up page shows and takes them."""
    settings = BooksSettings.objects.filter(connection=connection).first()
    streams = {stream.kind: stream for stream in connection.streams.filter(is_active=True)}
    if settings is None or INVOICE.name not in streams:
        return {}
    return {
        "income_account": settings.income_account_id,
        "default_item": settings.default_item_id,
        "import_customers": settings.import_customers,
        "import_items": settings.import_items,
        "invoices_from": settings.invoices_from,
        "direction": streams[INVOICE.name].direction,
        "policy_lists": streams[CUSTOMER.name].policy,
        "policy_documents": streams[INVOICE.name].policy,
    }

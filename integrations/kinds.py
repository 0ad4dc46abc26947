"""The kinds of records that are synced, and who owns what of each. Pure data.

Which fields a kind has is the contract between FieldCamp's side (`local.py`, `books/`) and the providers' mappings.
Instants and days are strings (see `records.py`), and so are money and quantities, as `fieldcamp.money` writes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from integrations.records import Fields


class KindName(StrEnum):
    """What a kind of record is called in links, jobs and the change feed."""

    VISIT = "visit"
    BLOCK = "block"
    CUSTOMER = "customer"
    ITEM = "item"
    TAX = "tax"
    INVOICE = "invoice"
    PAYMENT = "payment"


class SubjectKind(StrEnum):
    """What a problem may be about beside a record: its `record_kind` where it is about none."""

    STREAM = "stream"
    HOLD = "hold"


class Owner(StrEnum):
    LOCAL = "local"
    REMOTE = "remote"


class Fold(StrEnum):
    """What a field holds that says the same in several spellings (`integrations.sync.folding`)."""

    TEXT = "text"
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    SKU = "sku"
    PLACE = "place"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record and who owns what of it.

    `fields` are all that is compared and stored; `two_way` those that either side may change, the others belong to
    `owner` alone. `together` are written together where one of them is. `loose` ones are written when they change in
    FieldCamp, and left as they are when they change at the other side (an item's name). `noted` are stored as seen,
    and never compared (an invoice's open balance). `told` go with each write where they are said, and are neither
    stored nor compared (what is chosen for new lines). `beside` are what people at the other side have put beside a
    field of ours, by what it stands beside: stored as seen, never compared, and written back whenever that field is
    written. `carries` says which fields are written as they are there together with one that changes what they mean.
    `respelled` ones a vendor may spell its own way (cut, trimmed, folded): what it makes of what was sent is that.
    `pulled` ones are the other side's alone: taken over, and never written (a deposit on an invoice's form).
    `private` ones are identifiers that somebody else chose: stored as hashes. So are the ids at the provider of a kind
    that has `hidden_ids`. `personal` ones may say something of a person, and are left out everywhere once that person
    is erased (`lines.description`: that of each line). `guarded` kinds trip the mass-removal guard. `keep_local`: when
    the remote counterpart vanishes the local record stays and is flagged, else it goes as well. `revives`: a vanished
    counterpart is made again by a full sync or an edit; where not, only by a person. `removable`: what is taken away in
    FieldCamp is taken away there. `ends` names a field that, once true at either side, is all that still matters.
    `named_by` names the one that people call the record by; `singular` and `plural` are how people call such records,
    `counterpart` what one is at the other side.

    A side may leave a field out: it does not say what stands there (a tax that the books compute, lines that cannot be
    read in full). That is not the same as an empty value, and neither pulled nor taken for a difference.
    """

    name: KindName
    owner: Owner
    fields: tuple[str, ...]
    two_way: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict, hash=False)
    carries: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    respelled: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    hidden_ids: bool = False
    personal: tuple[str, ...] = ()
    pulled: tuple[str, ...] = ()
    guarded: bool = True
    keep_local: bool = True
    revives: bool = True
    removable: bool = True
    ends: str = ""
    named_by: str = ""
    singular: str = "record"
    folds: Mapping[str, Fold] = field(default_factory=dict, hash=False)
    plural: str = "records"
    counterpart: str = "record"

    def pick(self, fields: Fields) -> dict[str, Any]:
        """Returns what is stored of these fields. One that is left out is not said, which is not the same as empty."""
        return {name: fields[name] for name in (*self.fields, *self.noted, *self.beside) if name in fields}

    def name_in(self, fields: Any) -> str:
        """Returns what people call the record with these fields; "" where they do not say it."""
        return str(fields.get(self.named_by) or "") if isinstance(fields, Mapping) else ""

    def impersonal(self, fields: Fields) -> dict[str, Any]:
        """Returns what is stored of these fields where nothing may be said of a person: the personal ones are left out,
        which is not the same as empty, and those of each line empty."""
        rest = {name: value for name, value in self.pick(fields).items() if name not in self.personal}
        for within, _dot, name in (each.partition(".") for each in self.personal if "." in each):
            if isinstance(rest.get(within), list):
                rest[within] = [{**row, name: ""} for row in rest[within]]
        return rest


OWN_REMOVED = "own_removed"
# `repeats` says whether somebody has made a series of it (a visit never is one); `OWN_REMOVED` that they have then
# removed the visit's own occurrence, so that only others are left. `start` and `end` are that occurrence's. `notes` is
# what a technician has typed above and below our text.
VISIT = Kind(
    KindName.VISIT,
    Owner.LOCAL,
    ("start", "end", "title", "text", "place", "repeats"),
    two_way=("start", "end"),
    together=("start", "end"),
    beside={"notes": "text"},
    carries={"repeats": ("start", "end")},
    respelled=("title", "text", "place"),
    personal=("title", "text", "place", "notes"),
    named_by="title",
    singular="visit",
    plural="visits",
    counterpart="calendar event",
)
BLOCK = Kind(
    KindName.BLOCK,
    Owner.REMOTE,
    ("start", "end", "zone", "busy", "uid", "recurrence", "series_id", "original_start"),
    private=("uid", "series_id"),
    hidden_ids=True,
    guarded=False,
    keep_local=False,
    singular="busy time",
    plural="busy times",
    counterpart="event",
)

# Addresses are {"street", "city", "state", "postalCode", "country"} with empty strings left out, or None. `parent` is
# the id there of the customer whose place (site, job) it is, or "".
CUSTOMER = Kind(
    KindName.CUSTOMER,
    Owner.LOCAL,
    ("display_name", "given_name", "family_name", "company", "email", "phone", "bill_address", "ship_address"),
    two_way=("display_name", "given_name", "family_name", "company", "email", "phone", "bill_address", "ship_address"),
    noted=("active", "currency", "parent"),
    personal=("display_name", "given_name", "family_name", "company", "email", "phone", "bill_address", "ship_address"),
    folds={
        "display_name": Fold.TEXT,  # "Smith, Jane" is a form of its own
        "given_name": Fold.NAME,
        "family_name": Fold.NAME,
        "company": Fold.NAME,
        "email": Fold.EMAIL,
        "phone": Fold.PHONE,
        "bill_address": Fold.PLACE,
        "ship_address": Fold.PLACE,
    },
    revives=False,
    removable=False,
    named_by="display_name",
    singular="client",
    plural="clients",
    counterpart="customer",
)
# `type` is "service" or "product"; `income_account` the account's id at the provider. `gross_price` stands
# where the price there includes the tax, which is no `price` of ours, and `net_price` beside it where it is known what
# that is before tax, for an item that is brought in.
ITEM = Kind(
    KindName.ITEM,
    Owner.LOCAL,
    ("name", "description", "price", "sku", "taxable", "active", "type", "income_account"),
    two_way=("description", "price", "sku", "taxable", "active"),
    loose=("name", "type", "income_account"),
    noted=("net_price", "gross_price"),
    folds={"sku": Fold.SKU},
    revives=False,
    removable=False,
    named_by="name",
    singular="item",
    plural="items",
    counterpart="item",
)
# `rate` is a fraction ("0.08"); `components` [{"name", "rate"}] are rounded one by one. `history` says since when they
# have been what, [{"from", "components"}], the earliest first; it is empty where they never changed.
TAX = Kind(
    KindName.TAX,
    Owner.LOCAL,
    ("name", "rate", "components", "history", "active"),
    two_way=("rate", "components", "history", "active"),
    loose=("name",),
    revives=False,
    removable=False,
    named_by="name",
    singular="tax",
    plural="taxes",
    counterpart="tax code",
)
# `customer` and `tax_code` are ids at the provider. `lines` are [{"item", "description", "quantity", "unit_price",
# "amount", "taxable"}], `item` an id at the provider or "". `discount` is None, {"percent": "10"} or
# {"amount": "5.00"}. `memo` is for the customer. FieldCamp's side says `bill_email` as well, with which a new one
# is made: from then on it is the bookkeeper's. `deposit` was taken on its form there, "" is none. `class` is what is
# chosen for new invoices, which lines that an edit adds get there, too.
INVOICE = Kind(
    KindName.INVOICE,
    Owner.LOCAL,
    ("number", "customer", "date", "due_date", "lines", "discount", "tax_code", "memo", "deposit", "voided"),
    two_way=("date", "due_date", "lines", "discount", "tax_code", "memo", "voided"),
    together=("lines", "discount", "tax_code"),
    loose=("number", "customer"),
    noted=("total", "tax_total", "balance"),
    told=("class",),
    personal=("memo", "lines.description"),
    pulled=("deposit",),
    folds={"number": Fold.NUMBER},
    revives=False,
    removable=False,
    ends="voided",
    named_by="number",
    singular="invoice",
    plural="invoices",
    counterpart="posted invoice",
)
# `allocations` are [{"invoice", "amount"}] by the invoice's id at the provider, in the order of these texts; what is
# left of `amount` stays unapplied. `method` is "card", "cash", "check", "bank_transfer" or "other". `credited` is what
# of credits was applied there together with the money, `elsewhere` what of it pays for something else than invoices (it
# was paid back, say); "" is nothing.
PAYMENT = Kind(
    KindName.PAYMENT,
    Owner.LOCAL,
    ("customer", "date", "amount", "method", "reference", "allocations", "credited", "elsewhere", "voided"),
    two_way=("date", "amount", "method", "reference", "allocations", "voided"),
    loose=("customer",),
    together=("amount", "allocations"),
    noted=("unapplied", "deposited"),
    personal=("reference",),
    pulled=("credited", "elsewhere"),
    folds={"method": Fold.METHOD, "reference": Fold.NUMBER},
    revives=False,
    removable=False,
    ends="voided",
    named_by="reference",
    singular="payment",
    plural="payments",
    counterpart="posted payment",
)

BOOKS = (CUSTOMER, ITEM, TAX, INVOICE, PAYMENT)  # in the order in which they depend on each other
KINDS: dict[str, Kind] = {kind.name: kind for kind in (VISIT, BLOCK, *BOOKS)}

"""The company that is made for a review: an owner, technicians, and records whose words can be looked for anywhere."""

import datetime as dt
import secrets
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from fieldcamp.api.services import create_key
from fieldcamp.workspace.invoicing import create_invoice
from fieldcamp.workspace.models import Client, Item, Member, Visit, VisitStatus, Workspace
from integrations.demo.company import make_admin

OWNER = "reviewer"
# Words that stand nowhere else: where one is found, a customer's data is.
CANARY, CANARY_MAIL = "Zwyndrake", "quintessa.zwyndrake@example.com"
CANARY_AMOUNT = Decimal("7431.29")
CANARY_TITLE = "Vurblest inspection"
SCRIPT, FORMULA, QUOTES = "<svg onload=alert(77)>", '=HYPERLINK("https://evil.example/","77")', "Robert'; DROP--"
PEOPLE = ("Dana", "Lee")
LIMIT = 1_000_000  # calls a minute: a review must not meet the brake that is meant for others


@dataclass(frozen=True, slots=True)
class ReviewCompany:
    """Who and what is there. `key` may do everything, `reading_key` reads visits only, `other_key` is of another
    company."""

    id: str
    username: str
    password: str = field(repr=False)
    key: str = field(repr=False)
    reading_key: str = field(repr=False)
    other_key: str = field(repr=False)
    technicians: dict[str, str]
    client_id: str
    visit_ids: dict[str, str]

    @property
    def tokens(self) -> tuple[str, ...]:
        """Returns what must not be in the evidence."""
        return (self.key, self.reading_key, self.other_key, self.password)


@transaction.atomic
def make_review_company() -> ReviewCompany:
    """Makes the company, and another one beside it."""
    workspace = Workspace.objects.create(name="Review Plumbing", timezone="America/New_York", daily_request_limit=None)
    password = secrets.token_urlsafe(12)
    make_admin(workspace, OWNER, password, "Rhea", "Viewer")
    people = {
        name: Member.objects.create(
            workspace=workspace, first_name=name, last_name="Tester", is_technician=True, email=f"{name}@google.test"
        )
        for name in PEOPLE
    }
    client = Client.objects.create(
        workspace=workspace, first_name="Quintessa", last_name=CANARY, email=CANARY_MAIL, company_name=""
    )
    for name in (SCRIPT, FORMULA, QUOTES):
        Client.objects.create(workspace=workspace, company_name=name)
    visits = {name: _visit(workspace, client, person) for name, person in people.items()}
    item = Item.objects.create(workspace=workspace, name="Pipework", price=CANARY_AMOUNT, taxable=False)
    line = {"item_id": item.pk, "description": "Work", "quantity": Decimal(1), "unit_price": CANARY_AMOUNT}
    line["taxable"] = False
    create_invoice(
        workspace=workspace, client_id=client.pk, lines=[line], date=timezone.now().date(), number="7401", send=True
    )
    other = Workspace.objects.create(name="Somebody Else")
    return ReviewCompany(
        id=workspace.pk,
        username=OWNER,
        password=password,
        key=create_key(workspace=workspace, name="Review", rate_limit_override=LIMIT)[1],
        reading_key=create_key(workspace=workspace, name="Reads", scopes=["visits:read"], rate_limit_override=LIMIT)[1],
        other_key=create_key(workspace=other, name="Other", rate_limit_override=LIMIT)[1],
        technicians={name: person.pk for name, person in people.items()},
        client_id=client.pk,
        visit_ids={name: visit.pk for name, visit in visits.items()},
    )


def _visit(workspace: Workspace, client: Client, technician: Member) -> Visit:
    start = (timezone.now() + dt.timedelta(days=2)).replace(hour=15, minute=0, second=0, microsecond=0)
    return Visit.objects.create(
        workspace=workspace,
        client=client,
        technician=technician,
        title=f"{CANARY_TITLE} of {technician.first_name}",
        scheduled_start=start,
        scheduled_end=start + dt.timedelta(hours=1),
        timezone=workspace.timezone,
        visit_status=VisitStatus.SCHEDULED,
    )

"""The demo's two companies. The same day gives the same people, clients and visits."""

import datetime as dt
import random
import zoneinfo

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from fieldcamp.signin import factors
from fieldcamp.workspace.models import Client, Member, Role, Visit, VisitStatus, Workspace
from integrations.demo.money import make_money

NAME, SECOND_NAME = "Dana's Plumbing", "Northside Heating"
EACH = 24
# The names and addresses are those of the sandbox's sample accounts, so that a connected calendar finds its person.
TECHNICIANS = (
    ("Dana", "Whitfield"), ("Lee", "Okafor"), ("Ravi", "Menon"), ("Maria", "Santos"), ("Tom", "Becker"),
    ("Aisha", "Karimi"), ("Joel", "Lindqvist"), ("Nina", "Petrova"), ("Carlos", "Vega"), ("Hannah", "Cole"),
    ("Sam", "Nguyen"), ("Greta", "Olsen"),
)  # fmt: skip
FIRST = (
    "Alice", "Ben", "Clara", "David", "Elena", "Frank", "Grace", "Henry", "Irene", "Jack", "Karen", "Louis", "Mona",
    "Nathan", "Olga", "Peter", "Quinn", "Rosa", "Steven", "Tara",
)  # fmt: skip
LAST = (
    "Abbott", "Brennan", "Castillo", "Dunn", "Esposito", "Fischer", "Gallagher", "Hoffman", "Ivanov", "Jennings",
    "Keller", "Lombardi", "Murray", "Novak", "Ortiz", "Pruitt", "Quigley", "Romano", "Sullivan", "Turner",
)  # fmt: skip
COMPANIES = (
    "Maple Street Bakery", "Hudson Dental Group", "Riverside Apartments", "Corner Bistro", "St. Anne's School",
    "Albany Book House", "Pine Hills Laundry", "Lark Street Gym", "Capitol Veterinary", "Old Mill Brewery",
)  # fmt: skip
STREETS = (
    "Delaware Ave", "Madison Ave", "New Scotland Ave", "Western Ave", "Lark St", "Dove St", "Myrtle Ave",
    "Hackett Blvd", "Washington Ave", "Quail St",
)  # fmt: skip
TOWNS = (("Albany", "12208"), ("Albany", "12210"), ("Delmar", "12054"), ("Troy", "12180"), ("Schenectady", "12305"))
WORK = (
    ("Water heater service", 90), ("Leak repair", 60), ("Drain cleaning", 75), ("Faucet replacement", 60),
    ("Toilet installation", 90), ("Sump pump check", 45), ("Pipe insulation", 105), ("Boiler inspection", 75),
    ("Sewer camera inspection", 60), ("Bathroom rough-in", 105),
)  # fmt: skip
# Four visits a working day; the longest job ends before the next begins.
STARTS = (dt.time(8, 0), dt.time(10, 0), dt.time(13, 0), dt.time(15, 0))
UNSCHEDULED = 2


@transaction.atomic
def make_company(today: dt.date | None = None, known: str = "") -> Workspace:
    """Dana's Plumbing with its people, clients and visits; the one of the last run (`known`: its id), however it is
    called by now, if it is there."""
    if found := _made_before(known, NAME):
        return found
    workspace = Workspace.objects.create(name=NAME, timezone="America/New_York", daily_request_limit=None)
    zone = zoneinfo.ZoneInfo(workspace.timezone)
    today = today or timezone.now().astimezone(zone).date()
    dice = random.Random(f"{NAME} {today}")  # noqa: S311
    technicians = _technicians(workspace)
    clients = _clients(workspace, dice)
    _visits(workspace, technicians, clients, today, zone, dice)
    make_money(workspace, today)
    return workspace


@transaction.atomic
def make_second_company(known: str = "") -> Workspace:
    """Creates a company that must never be seen from the first, or returns the one of the last run."""
    if found := _made_before(known, SECOND_NAME):
        return found
    workspace = Workspace.objects.create(name=SECOND_NAME, timezone="America/Chicago")
    technician = Member.objects.create(
        workspace=workspace, first_name="Nora", last_name="Field", email="nora@northside.test", is_technician=True
    )
    client = Client.objects.create(workspace=workspace, company_name="Lakeview Offices", email="desk@lakeview.test")
    start = (timezone.now() + dt.timedelta(days=1)).replace(hour=15, minute=0, second=0, microsecond=0)
    Visit.objects.create(
        workspace=workspace,
        client=client,
        technician=technician,
        title="Furnace inspection",
        scheduled_start=start,
        scheduled_end=start + dt.timedelta(hours=1),
        timezone=workspace.timezone,
        visit_status=VisitStatus.SCHEDULED,
    )
    return workspace


def _made_before(known: str, name: str) -> Workspace | None:
    return Workspace.objects.filter(pk=known).first() or Workspace.objects.filter(name=name).first()


@transaction.atomic
def make_admin(workspace: Workspace, username: str, password: str, first_name: str, last_name: str) -> None:
    """Makes the workspace's owner with a login; an existing one gets this password, and is let in as an owner again,
    with nothing beside the password."""
    made = {"first_name": first_name, "last_name": last_name, "email": f"{username}@fieldcamp.test"}
    user, _ = get_user_model().objects.get_or_create(username=username, defaults=made)
    user.is_staff = user.is_active = True
    if not user.check_password(password):
        user.set_password(password)
    user.save()
    factors.reset(user)
    Workspace.objects.filter(pk=workspace.pk).update(second_factor=Workspace.SecondFactor.NOBODY)
    # The same person, also after the login was revoked.
    known = Member.objects.filter(Q(user=user) | Q(user=None, email=user.email), workspace=workspace)
    member = known.order_by(F("user").desc(nulls_last=True), "pk").first() or Member(workspace=workspace, **made)
    member.user, member.login_ended_at = user, None
    member.role, member.is_active = Role.OWNER, True
    member.save()


def _technicians(workspace: Workspace) -> list[Member]:
    return Member.objects.bulk_create(
        Member(
            workspace=workspace,
            first_name=first,
            last_name=last,
            email=f"{first.lower()}@google.test",
            is_technician=True,
        )
        for first, last in TECHNICIANS
    )


def _clients(workspace: Workspace, dice: random.Random) -> list[Client]:
    people = [(FIRST[n % 20], LAST[(n * 7 + n // 20) % 20]) for n in range(50)]
    clients = []
    for n, (first, last) in enumerate(people + [(name, "") for name in COMPANIES]):
        town, code = dice.choice(TOWNS)
        address = {
            "street": f"{dice.randrange(10, 990)} {dice.choice(STREETS)}",
            "city": town,
            "state": "NY",
            "postalCode": code,
            "country": "US",
        }
        name = {"first_name": first, "last_name": last} if last else {"company_name": first}
        mailbox = f"{first}.{last}".strip(".").lower().replace(" ", "").replace("'", "")
        clients.append(
            Client(
                workspace=workspace,
                **name,
                email=f"{mailbox}@example.com",
                phone_number={"countryCode": "+1", "number": f"51855501{n:02d}", "countryIdentifier": "US"},
                billing_address=address,
                property_address=address,
            )
        )
    return Client.objects.bulk_create(clients)


def _visits(
    workspace: Workspace,
    technicians: list[Member],
    clients: list[Client],
    today: dt.date,
    zone: zoneinfo.ZoneInfo,
    dice: random.Random,
) -> None:
    days = [day for n in range(1, 15) if (day := today + dt.timedelta(days=n)).weekday() < 5]
    slots = [(day, start) for day in days for start in STARTS][:EACH]
    visits = []
    for technician in technicians:
        for day, start in slots:
            title, minutes = dice.choice(WORK)
            begins = dt.datetime.combine(day, start, zone)
            visits.append(
                _visit(
                    workspace,
                    dice.choice(clients),
                    title,
                    technician=technician,
                    scheduled_start=begins,
                    scheduled_end=begins + dt.timedelta(minutes=minutes),
                    visit_status=VisitStatus.SCHEDULED,
                )
            )
    visits += [_visit(workspace, dice.choice(clients), "Quote for a new bathroom") for _ in range(UNSCHEDULED)]
    Visit.objects.bulk_create(visits)


def _visit(workspace: Workspace, client: Client, title: str, **fields) -> Visit:
    return Visit(
        workspace=workspace,
        client=client,
        title=title,
        notes="Call ten minutes before arrival.",
        address=client.address,
        timezone=workspace.timezone,
        **fields,
    )

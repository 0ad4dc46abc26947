"""`manage.py erase`: takes a client, a person, an account or a company out of FieldCamp for good."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model

from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Client, Member, Workspace
from integrations.models import Connection
from integrations.services.erasure import (
    ErasurePlan,
    erase_account,
    erase_client,
    erase_member,
    erase_workspace,
    plan_account,
    plan_client,
    plan_member,
    plan_workspace,
)

ACTOR = "manage.py erase"
# What can be erased: the table, what it takes away, and what does it.
WHAT: dict[str, tuple[type[Model], Callable[[Any], ErasurePlan], Callable[[Any], object]]] = {
    "client": (Client, plan_client, lambda row: erase_client(row, actor=ACTOR)),
    "member": (Member, plan_member, lambda row: erase_member(row, by=None, actor=ACTOR)),
    "connection": (Connection, plan_account, lambda row: erase_account(row, actor=ACTOR)),
    "workspace": (Workspace, plan_workspace, lambda row: erase_workspace(row, actor=ACTOR)),
}


class Command(BaseCommand):
    help = (
        "Erases a client, a member, a connection or a whole workspace by its id, for good: prints what it takes away "
        "and what has to stay, asks, and does it. docs/data.md says what is kept where."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=sorted(WHAT))
        parser.add_argument("id", help="such as cli_01HZX2Q8YV3D1G0N3WJ2P7K9MA")
        parser.add_argument("--yes", action="store_true", help="does not ask")

    def handle(self, *args: Any, what: str, id: str, yes: bool = False, **options: Any) -> None:
        """Asks on the terminal unless `yes` is given, and ends with 1 where nothing was erased."""
        model, plan_of, erase = WHAT[what]
        row = model._base_manager.filter(pk=id).first()
        if row is None:
            raise CommandError(f"There is no {what} {id}.")
        try:
            plan = plan_of(row)
            self.stdout.write(f"Erasing the {what} {plan.name} ({id}).\n\nThis goes for good:")
            for sentence in plan.removes:
                self.stdout.write(f"- {sentence}")
            self.stdout.write("\nThis stays:")
            for sentence in plan.stays:
                self.stdout.write(f"- {sentence}")
            if not yes and input("\nErase it? Type yes: ").strip().lower() != "yes":
                raise CommandError("Nothing was erased.")
            erase(row)
        except InvalidTransition as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"\nThe {what} {id} is erased.")

"""Removes the second factors of a login whose owner has lost them."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldcamp.signin.resetting import reset


class Command(BaseCommand):
    help = (
        "Removes all second factors of a login and ends its sessions, for an operator who has lost telephone and"
        " recovery codes. The person is told by mail; their company's audit trail has it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no login {username}.")
        done = reset(user, by="")
        self.stdout.write("Reset: the password alone is enough now." if done else "This login has no second factor.")

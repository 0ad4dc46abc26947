"""Makes accounts found again after API_KEY_PEPPER was changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.accounts.digests import renew_digests


class Command(BaseCommand):
    help = (
        "Computes the digests by which connected accounts are found anew, as is needed after API_KEY_PEPPER was"
        " changed. Needs TOKEN_ENCRYPTION_KEYS. Can be run at any time, and again. Prints counts and ids of"
        " connections only."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        result = renew_digests()
        self.stdout.write(f"{result.renewed} renewed.")
        left = [
            f"{old} is of the account that was connected again as {new}: erase one of them"
            f" (manage.py erase connection {old})."
            for old, new in result.doubled
        ]
        if result.unreadable:
            ids = ", ".join(result.unreadable)
            left.append(f"TOKEN_ENCRYPTION_KEYS lacks the key of {ids}: put it back, or connect these accounts again.")
        if left:
            raise CommandError("\n".join(left))

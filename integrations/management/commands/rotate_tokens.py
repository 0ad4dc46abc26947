"""Encrypts all stored tokens, and the secrets of second factors, with the newest key of TOKEN_ENCRYPTION_KEYS."""

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from fieldcamp.signin.factors import rotate_secrets
from integrations.models import OAuthGrant
from integrations.models.fields import DecryptionError, key_id

COLUMNS = ("access_token", "refresh_token", "answer")


class Command(BaseCommand):
    help = (
        "Encrypts all stored tokens and secrets of second factors with the first key of TOKEN_ENCRYPTION_KEYS. Can be"
        " stopped at any time and started again. Prints counts only. When it says that nothing is left, the older keys"
        " can be removed."
    )

    def handle(self, *args, **options) -> None:
        rotated, unreadable = 0, 0
        # By primary keys fetched beforehand: a grant that stays old (unreadable) must not be met for ever.
        for pk in list(_old_grants().values_list("pk", flat=True)):
            try:
                rotated += rotate(pk)
            except DecryptionError:
                unreadable += 1
        try:
            factors = rotate_secrets()
        except InvalidToken:
            raise CommandError(
                "A second factor could not be decrypted: TOKEN_ENCRYPTION_KEYS lacks its key. Put it back behind the"
                " newest one and run this again."
            ) from None
        left = _old_grants().count()
        self.stdout.write(f"{rotated} rotated, {left} left, {OAuthGrant.objects.count()} in all.")
        if factors:
            self.stdout.write(f"{factors} secrets of second factors rotated.")
        if unreadable:
            raise CommandError(
                f"{unreadable} could not be decrypted: TOKEN_ENCRYPTION_KEYS lacks their key. Put it back behind the"
                " newest one and run this again."
            )
        if left:
            raise CommandError(
                "Some were renewed meanwhile by a process with older keys. Restart it, then run this again."
            )


def _old_grants() -> QuerySet[OAuthGrant]:
    """Grants with a value that another key than the newest has encrypted. Reads no value."""
    newest = f"{key_id(settings.TOKEN_ENCRYPTION_KEYS[0])}:"
    stored = {f"stored_{name}": Cast(name, TextField()) for name in COLUMNS}
    old = Q()
    for name in stored:
        old |= ~Q(**{name: ""}) & ~Q(**{f"{name}__startswith": newest})
    return OAuthGrant.objects.annotate(**stored).filter(old).order_by("pk")


def rotate(pk: int) -> bool:
    """Encrypts one grant anew, unless its tokens are replaced in the same moment (then they are new anyway)."""
    grant = OAuthGrant.objects.filter(pk=pk).first()
    if grant is None:
        return False
    values = {name: getattr(grant, name) for name in COLUMNS}
    return OAuthGrant.objects.filter(pk=pk, version=grant.version).update(**values) == 1

"""Encrypts all stored tokens, ids of accounts, companies' secrets, and those of second factors, with the newest key of
TOKEN_ENCRYPTION_KEYS."""

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from fieldcamp.encryption import DecryptionError, decrypt, encrypt, key_id
from fieldcamp.signin.factors import rotate_secrets
from fieldcamp.webhooks.models import WebhookEndpoint
from integrations.models import ChatAddress, Connection, IdentifierKey, OAuthGrant

COLUMNS: dict[type[Model], tuple[str, ...]] = {
    OAuthGrant: ("access_token", "refresh_token", "answer"),
    IdentifierKey: ("secret",),
    Connection: ("sealed_account_id",),
    WebhookEndpoint: ("secret", "previous_secret"),
    ChatAddress: ("url",),
}


class Command(BaseCommand):
    help = (
        "Encrypts all stored tokens, the ids of accounts, the secrets under which companies' identifiers are hashed,"
        " and those of second factors, with the first key of TOKEN_ENCRYPTION_KEYS. Can be stopped at any time and"
        " started again. Prints counts only. When it says that nothing is left, the older keys can be removed."
    )

    def handle(self, *args, **options) -> None:
        rotated, unreadable = 0, 0
        for model in COLUMNS:
            # By primary keys fetched beforehand: a row that stays old (unreadable) must not be met for ever.
            for pk in list(_old(model).values_list("pk", flat=True)):
                try:
                    rotated += rotate(pk, model)
                except DecryptionError:
                    unreadable += 1
        try:
            factors = rotate_secrets()
        except InvalidToken:
            raise CommandError(
                "A second factor could not be decrypted: TOKEN_ENCRYPTION_KEYS lacks its key. Put it back behind the"
                " newest one and run this again."
            ) from None
        left, total = (sum(rows(model).count() for model in COLUMNS) for rows in (_old, _all))
        self.stdout.write(f"{rotated} rotated, {left} left, {total} in all.")
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


def _all(model: type[Model]) -> QuerySet[Model]:
    return model._default_manager.all()


def _old(model: type[Model]) -> QuerySet[Model]:
    """Rows with a value that another key than the newest has encrypted. Reads no value."""
    newest = f"{key_id(settings.TOKEN_ENCRYPTION_KEYS[0])}:"
    stored = {f"stored_{name}": Cast(name, TextField()) for name in COLUMNS[model]}
    old = Q()
    for name in stored:
        old |= ~Q(**{name: ""}) & ~Q(**{f"{name}__startswith": newest})
    return _all(model).annotate(**stored).filter(old).order_by("pk")


def rotate(pk: int | str, model: type[Model] = OAuthGrant) -> bool:
    """Encrypts one row anew, unless its tokens are replaced in the same moment (then they are new anyway)."""
    if model is WebhookEndpoint:
        return _rotate_stored(pk, model)
    row = _all(model).filter(pk=pk).first()
    if row is None:
        return False
    if isinstance(row, Connection):
        stored = row.sealed_account_id
        same = Connection.objects.filter(pk=pk, sealed_account_id=stored)
        return same.update(sealed_account_id=encrypt(decrypt(stored))) == 1
    values = {name: getattr(row, name) for name in COLUMNS[model]}
    if isinstance(row, OAuthGrant):
        return _all(model).filter(pk=pk, version=row.version).update(**values) == 1
    return _all(model).filter(pk=pk).update(**values, encrypted_at=timezone.now()) == 1


def _rotate_stored(pk: int | str, model: type[Model]) -> bool:
    """Encrypts the row's texts anew where they are still those that were read: what was rotated or deleted in between
    does not come back."""
    names = {f"stored_{name}": name for name in COLUMNS[model]}
    rows = _all(model).annotate(**{stored: Cast(name, TextField()) for stored, name in names.items()}).filter(pk=pk)
    read = rows.values(*names).first()
    if read is None:
        return False
    values = {name: decrypt(read[stored]) for stored, name in names.items()}
    return rows.filter(**read).update(**values) == 1

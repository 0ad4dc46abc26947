"""Second factors of a login: an authenticator app, passkeys, recovery codes; who needs one; how each is tried.

The rows are allauth's (`allauth.mfa.models.Authenticator`).
"""

from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, validate_totp_code
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from fieldcamp.desk.users import DeskUser
from fieldcamp.signin import throttle
from fieldcamp.workspace.models import Role, Workspace

log = structlog.get_logger(__name__)

NAME_LENGTH = 60
# An authenticator app's code is good for its step of 30 s and the ones before and after it.
CODE_LIFE = 120


class FactorAdapter(DefaultMFAAdapter):
    """Keeps secrets encrypted under TOKEN_ENCRYPTION_KEYS, and binds passkeys to the site's own name."""

    def encrypt(self, text: str) -> str:
        return _ring().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _ring().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        if settings.PUBLIC_URL.startswith("https://"):
            entity["id"] = urlsplit(settings.PUBLIC_URL).hostname or entity["id"]
        return {**entity, "name": "FieldCamp Integrations"}


def _ring() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])


def rotate_secrets() -> int:
    """Encrypts all stored secrets with the newest key; how many there are. InvalidToken if a key is missing."""
    count = 0
    for pk in list(Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("pk", flat=True)):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            for name in ("secret", "seed"):
                if row and name in row.data:
                    row.data[name] = _ring().rotate(row.data[name].encode()).decode()
                    row.save(update_fields=["data"])
                    count += 1
    return count


# --- who has one, who needs one -------------------------------------------------------------------------------------


def main_factors(user: User) -> QuerySet[Authenticator]:
    """Returns what the person signs in with beside the password; recovery codes are for when these are lost."""
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user=user)
    return rows.exclude(type=Authenticator.Type.RECOVERY_CODES)


def has_factor(user: User) -> bool:
    return main_factors(user).exists()


def needs_factor(desk_user: DeskUser) -> bool:
    """Returns whether this person must have a second factor: an operator by the site's choice, everybody else by that
    of any of their companies, whichever they are looking at."""
    if desk_user.is_superuser and settings.OPERATORS_NEED_SECOND_FACTOR:
        return True
    demands = {
        (member.workspace.second_factor, member.role in (Role.OWNER, Role.ADMIN)) for member in desk_user.members
    }
    return any(
        chosen == Workspace.SecondFactor.ALL or (chosen == Workspace.SecondFactor.MANAGERS and manages)
        for chosen, manages in demands
    )


def lacks_factor(desk_user: DeskUser) -> bool:
    return needs_factor(desk_user) and not has_factor(desk_user.user)


# --- adding and removing --------------------------------------------------------------------------------------------


def fits(secret: str, code: str) -> bool:
    """Returns whether this is the app's code for a secret that is not yet stored."""
    return bool(validate_totp_code(secret, code))


def add_app(user: User, secret: str) -> Authenticator:
    """Stores the authenticator app, in the place of one that was there."""
    with transaction.atomic():
        _locked(user)
        Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
        row: Authenticator = TOTP.activate(user, secret).instance
    return row


def add_passkey(user: User, name: str, credential: Any) -> Authenticator:
    """Stores the passkey that a browser has made for the challenge in its session. ValidationError if it has not."""
    try:
        webauthn.parse_registration_response(credential)
        webauthn.complete_registration(credential)
    except Exception:  # whatever a parser of binary data from a stranger may raise
        log.info("passkey_refused", user_id=user.pk, exc_info=True)
        raise ValidationError(gettext("The passkey was not taken. Try again.")) from None
    name = name.strip()[:NAME_LENGTH] or gettext("Passkey")
    row: Authenticator = webauthn.WebAuthn.add(user, name, credential).instance
    return row


def new_recovery_codes(user: User) -> list[str]:
    """Returns ten new codes, each good once; the ones before are not good any more."""
    with transaction.atomic():
        _locked(user)
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def recovery_codes_left(user: User) -> int | None:
    """Returns how many codes are still good; None if there are none at all."""
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(row.wrap().get_unused_codes()) if row else None


def remove(desk_user: DeskUser, pk: int) -> Authenticator | None:
    """Removes one of the person's own factors, with the last one the recovery codes too; None if it is not theirs.

    ValidationError for the last factor of who must have one.
    """
    with transaction.atomic():
        _locked(desk_user.user)
        rows = main_factors(desk_user.user)
        row = rows.filter(pk=pk).first()
        if row is None:
            return None
        others = rows.exclude(pk=pk).exists()
        if not others and needs_factor(desk_user):
            raise ValidationError(gettext("You need a second step to sign in. Add another one before removing this."))
        row.delete()
        if not others:
            Authenticator.objects.filter(user=desk_user.user).delete()
    return row


def reset(user: User) -> int:
    """Removes all factors of somebody who has lost them; how many rows went."""
    count, _ = Authenticator.objects.filter(user=user).delete()
    return count


def _locked(user: User) -> None:
    """Keeps two changes of one person's factors apart."""
    User.objects.select_for_update().get(pk=user.pk)


def kind_of(row: Authenticator) -> str:
    """Returns what the factor is called, for pages and mails."""
    if row.type == Authenticator.Type.TOTP:
        return gettext("authenticator app")
    if row.type == Authenticator.Type.WEBAUTHN:
        return gettext("passkey {name}").format(name=row.wrap().name)
    return gettext("recovery codes")


# --- trying ---------------------------------------------------------------------------------------------------------


def takes_code(user: User, code: str) -> Authenticator | None:
    """Returns the factor that this code is good for, each code once: the app's, else a recovery code."""
    code = "".join(code.split())
    if not code.isascii() or not code.isdigit():
        return None
    rows = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    for row in sorted(rows, key=lambda row: row.type != Authenticator.Type.TOTP):
        # allauth remembers used codes in the cache, which a process may have for itself.
        if row.wrap().validate_code(code) and (
            row.type != Authenticator.Type.TOTP or throttle.once("code used", str(row.pk), code, seconds=CODE_LIFE)
        ):
            row.record_usage()
            return row
    return None


def passkey_options(user: User) -> dict[str, Any] | None:
    """Returns what the browser signs with one of the person's passkeys; None if they have none."""
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists():
        return None
    options: dict[str, Any] = webauthn.begin_authentication(user)
    return options


def takes_passkey(user: User, credential: Any) -> Authenticator | None:
    """Returns the passkey that has signed the challenge of this session."""
    try:
        webauthn.parse_authentication_response(credential)
        row: Authenticator = webauthn.complete_authentication(user, credential)
    except Exception:  # as above
        log.info("passkey_refused", user_id=user.pk, exc_info=True)
        return None
    row.record_usage()
    return row

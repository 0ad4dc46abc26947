"""The id of an account at its provider, of which a copy of the database tells nothing."""

import hmac
from functools import lru_cache
from typing import Self, TypeVar

from django.conf import settings
from django.db import models

from fieldcamp.encryption import DecryptionError, decrypt, encrypt
from fieldcamp.texts import masked

_PURPOSE = b"fieldcamp: ids of accounts at providers"
Row = TypeVar("Row", bound="OfAccount")


@lru_cache(maxsize=8)
def _key(pepper: str) -> bytes:
    return hmac.digest(pepper.encode(), _PURPOSE, "sha256")


def digest_of(account_id: str) -> str:
    """Returns the HMAC-SHA-256 (64 hexadecimal digits) of an account's id, under a key of its own that is made of
    API_KEY_PEPPER: ids are short numbers, and a copy of the database alone must not be enough to try them all."""
    return hmac.digest(_key(settings.API_KEY_PEPPER), account_id.encode("utf-8", "surrogatepass"), "sha256").hex()


class AccountQuerySet(models.QuerySet[Row]):
    def for_account(self, integration: str, account_id: str) -> Self:
        """Returns those of one account at a provider, in whichever workspaces."""
        return self.filter(integration=integration, account_digest=digest_of(account_id))

    def same_account(self, row: "OfAccount") -> Self:
        """Returns the others that are of this one's account, in whichever workspaces."""
        same = self.filter(integration=row.integration, account_digest=row.account_digest)
        return same.exclude(pk=row.pk)


class OfAccount(models.Model):
    """A row of one account at the provider that its `integration` names.

    The account's id is encrypted as tokens are, and found by a keyed digest. `account_id` writes both and reads the
    first; neither is a column of that name, so a query for it is an error and no empty answer.
    """

    integration = models.CharField(max_length=32)
    sealed_account_id = models.TextField(editable=False)
    account_digest = models.CharField(max_length=64, editable=False)

    class Meta:
        abstract = True

    @property
    def account_id(self) -> str:
        """Returns the provider's id of the account. Raises DecryptionError where its key is missing."""
        return decrypt(self.sealed_account_id)

    @account_id.setter
    def account_id(self, account_id: str) -> None:
        self.sealed_account_id, self.account_digest = encrypt(account_id), digest_of(account_id)

    @property
    def readable_account_id(self) -> str:
        """Returns the account's id; "" where its key is missing, which must not take the pages along."""
        try:
            return self.account_id
        except DecryptionError:
            return ""

    @property
    def shown_account_id(self) -> str:
        """Returns as much of the account's id as pages show: its last characters."""
        return masked(self.readable_account_id)

    def is_of(self, account_id: str) -> bool:
        """Returns whether this is the account's connection; needs no key of TOKEN_ENCRYPTION_KEYS."""
        return hmac.compare_digest(self.account_digest, digest_of(account_id))

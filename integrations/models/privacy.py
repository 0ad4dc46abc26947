"""What keeps the identifiers that strangers chose from being read in the database."""

from django.db import models
from django.utils import timezone

from fieldcamp.encryption import EncryptedField


class IdentifierKey(models.Model):
    """The secret under which one company's identifiers are hashed and encrypted (`integrations.ledger.private`).

    It is random and never changes: the same identifier is the same hash for good, whichever keys of the installation
    are renewed. It is encrypted itself, as tokens are."""

    workspace = models.OneToOneField("workspace.Workspace", models.CASCADE, primary_key=True, related_name="+")
    secret = EncryptedField()
    encrypted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.workspace_id

"""Which of the vendors' security events have come, so that none is acted on twice."""

from django.db import models


class ReceivedSecurityEvent(models.Model):
    """One event token that was believed, by its `jti`, which a vendor gives once. Whom it was about is not kept.

    `digest` is that of what it said: the same `jti` with other contents is no second delivery. `test_state` is what a
    test that somebody asked for was told to bring.
    """

    integration = models.CharField(max_length=32)
    jti = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    kinds = models.CharField(max_length=200)
    test_state = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "jti"], name="one_security_event")]

    def __str__(self) -> str:
        return f"{self.integration} {self.jti}"

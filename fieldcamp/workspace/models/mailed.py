"""Links that were mailed and wait to be followed. Until then neither changes anything of any login."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models.people import Member


class MailedLink(models.Model):
    """What the link may be used for, once, until `expires_at`. Its token is in the mail alone; `digest` is the
    SHA-256 of it. `sent_at` is empty as long as the mail could not be sent."""

    address = models.EmailField(_("email"))
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        return self.expires_at > timezone.now()


class Invitation(MailedLink):
    """A person of a company is to have a login; which one is decided by whoever follows the link."""

    member = models.OneToOneField(Member, models.CASCADE, related_name="invitation")

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.address


class AddressChange(MailedLink):
    """The e-mail address of a person with a login is to be another one."""

    member = models.OneToOneField(Member, models.CASCADE, related_name="address_change")

    class Meta:
        verbose_name = _("change of address")
        verbose_name_plural = _("changes of address")

    def __str__(self) -> str:
        return self.address

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.utils.translation import gettext_lazy as _


class SignInConfig(AppConfig):
    name = "fieldcamp.signin"
    verbose_name = _("Signing in")

    def ready(self) -> None:
        from fieldcamp.signin import checks  # noqa: F401  (registers the system check)
        from fieldcamp.signin.sessions import on_signed_in, on_signing_out

        user_logged_in.connect(on_signed_in, dispatch_uid="fieldcamp.signin")
        user_logged_out.connect(on_signing_out, dispatch_uid="fieldcamp.signin")

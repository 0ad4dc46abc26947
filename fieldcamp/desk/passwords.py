"""Setting a password by a link from a mail: Django's own views, with our pages. Asking for such a mail is
`fieldcamp.signin.passwords`."""

from django.contrib.auth.views import PasswordResetCompleteView, PasswordResetConfirmView, PasswordResetDoneView
from django.urls import path

from fieldcamp.desk.guards import throttled
from fieldcamp.desk.mailed import AddressChangeView, InvitationView

urlpatterns = [
    path("sent/", PasswordResetDoneView.as_view(template_name="desk/password_sent.html"), name="password_reset_done"),
    path("invitation/<str:token>/", throttled(InvitationView.as_view()), name="invitation"),
    path("address/<str:token>/", throttled(AddressChangeView.as_view()), name="address_change"),
    path(
        "<uidb64>/<token>/",
        throttled(PasswordResetConfirmView.as_view(template_name="desk/password_set.html")),
        name="password_reset_confirm",
    ),
    path(
        "set/",
        PasswordResetCompleteView.as_view(template_name="desk/password_done.html"),
        name="password_reset_complete",
    ),
]

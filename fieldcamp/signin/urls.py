"""The addresses of signing in, below /admin/. The sign-in itself is the admin site's."""

from django.urls import path

from fieldcamp.signin import resetting, security, steps

app_name = "signin"
urlpatterns = [
    path("login/code/", steps.code, name="code"),
    path("security/", security.page, name="security"),
    path("security/confirm/", security.confirm, name="confirm"),
    path("security/app/", security.app, name="app"),
    path("security/passkey/", security.passkey, name="passkey"),
    path("security/codes/", security.codes, name="codes"),
    path("security/factors/<int:pk>/remove/", security.remove, name="remove"),
    path("security/sessions/<int:pk>/end/", security.end_session, name="end_session"),
    path("security/sessions/end/", security.end_sessions, name="end_sessions"),
    path("security/of/<str:member_id>/reset/", resetting.page, name="reset"),
]

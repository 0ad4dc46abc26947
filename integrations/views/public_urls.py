"""The pages that everybody may read. Their addresses are written into the vendors' portals, so they stay."""

from django.urls import path

from integrations.views import public

urlpatterns = [
    path("", public.home, name="home"),
    path("privacy", public.privacy, name="privacy"),
    path("terms", public.terms, name="terms"),
    path("support", public.support, name="support"),
    # Where a vendor leads somebody who has ended the connection there.
    path("disconnected/<slug:slug>", public.disconnected, name="disconnected"),
]

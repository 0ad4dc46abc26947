from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """Django's admin with our site in the place of the default one."""

    default_site = "fieldcamp.signin.site.SignInSite"

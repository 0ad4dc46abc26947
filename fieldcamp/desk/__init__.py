"""The desk: what the admin site adds to Django's for people who belong to one company and have a role in it."""

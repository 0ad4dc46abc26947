"""Signing in at the desk: throttled tries, second factors, sessions, and confirming that it is still the same person.

allauth keeps factors and sessions (`allauth.mfa`, `allauth.usersessions`) and does their cryptography; its pages, its
sign-up and its sign-in do not exist here. An account at a vendor is never a login.
"""

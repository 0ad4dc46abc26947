"""What lets a request in at a vendor."""

import base64

import requests


class Bearer(requests.auth.AuthBase):
    """Puts an access token on a request as most vendors want it: https://www.rfc-editor.org/rfc/rfc6750#section-2.1"""

    def __init__(self, token: str):
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds nothing. (Without any `auth`, requests would add what a .netrc on the machine says.)"""
    return request


def basic_auth(client_id: str, secret: str) -> str:
    """Returns the header with which an app names itself at a token endpoint."""
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"

"""The demo's webhooks at Intuit's portal: what is registered is what the web process believes."""

import hmac
from base64 import b64decode
from hashlib import sha256

from fieldcamp.sandbox.push.wire import Answer
from integrations.demo import portal


def test_the_verifier_is_kept_and_believed_beside_others():
    environment = {portal.SETTING: "theirs, mine"}
    assert portal.verifier("mine", environment) == "mine"
    assert [each.strip() for each in environment[portal.SETTING].split(",")] == ["mine", "theirs"]
    fresh = portal.verifier(None, environment)
    assert len(fresh) >= 32 and environment[portal.SETTING].startswith(f"{fresh},mine")


def test_what_is_registered_is_posted_to_with_that_token(vendors):
    posts = []

    def take(post):
        posts.append(post)
        return Answer(200)

    wire = vendors.adapter.app.push.wire
    wire.deliver, wire.plain_http = take, True
    intuit = vendors.at("intuit")
    portal.register(
        lambda method, path, body: intuit.call(method, path.strip("/"), json=body),
        "http://127.0.0.1:8000",
        "a-verifier",
    )
    intuit.trouble("test")
    assert intuit.drain() == 1
    (post,) = posts
    assert post.url == "http://127.0.0.1:8000/push/intuit"
    assert b64decode(post.headers["intuit-signature"]) == hmac.digest(b"a-verifier", post.body, sha256)

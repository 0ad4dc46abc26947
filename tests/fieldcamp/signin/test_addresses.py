"""X-Forwarded-For is believed from named proxies, and only as far as they wrote it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from fieldcamp.env import networks
from fieldcamp.signin.addresses import client_address, neighbourhood
from fieldcamp.signin.checks import check_proxies

PROXIES = networks("X", ["10.0.0.0/8", "127.0.0.1", "::1"])


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "caller"),
    [
        ([], "127.0.0.1", "198.51.100.7", "127.0.0.1"),
        (PROXIES, "203.0.113.5", "198.51.100.7", "203.0.113.5"),  # no proxy of ours says so
        (PROXIES, "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (PROXIES, "127.0.0.1", "192.0.2.1, 198.51.100.7", "198.51.100.7"),  # the caller wrote the first one
        (PROXIES, "10.1.1.1", "192.0.2.1, 198.51.100.7, 10.2.2.2", "198.51.100.7"),
        (PROXIES, "127.0.0.1", "192.0.2.1, rubbish", "127.0.0.1"),
        (PROXIES, "127.0.0.1", "", "127.0.0.1"),
        (PROXIES, "127.0.0.1", "10.3.3.3", "10.3.3.3"),
        (PROXIES, "::ffff:127.0.0.1", "2001:db8::7", "2001:db8::7"),
        (PROXIES, "127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        (PROXIES, "127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        (PROXIES, "", "198.51.100.7", "0.0.0.0"),
        (networks("X", ["0.0.0.0"]), "", "198.51.100.7", "198.51.100.7"),  # a Unix socket
    ],
)
def test_whose_word_counts(proxies, remote, forwarded, caller, rf, settings):
    settings.TRUSTED_PROXIES = proxies
    assert client_address(rf.get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)) == caller


def test_neighbours_share_a_network_of_ipv6_alone():
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("198.51.100.7") != neighbourhood("198.51.100.8")


def test_a_setting_that_names_no_network_is_refused():
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        networks("TRUSTED_PROXIES", ["proxy.example"])


def test_a_site_behind_a_proxy_is_told_to_name_it(settings):
    settings.PUBLIC_URL = "https://sync.example.com"
    assert [warning.id for warning in check_proxies(None)] == ["signin.W001"]
    settings.TRUSTED_PROXIES = PROXIES
    assert check_proxies(None) == []
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = "http://127.0.0.1:8000", []
    assert check_proxies(None) == []

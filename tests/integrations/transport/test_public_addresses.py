"""Which addresses customers may name, and which numbers a name may have."""

import pytest

from integrations.transport.public_addresses import (
    AddressRefused,
    AddressRules,
    Refusal,
    checked,
    destination_of,
    is_public,
)

RULES = AddressRules(own_hosts=frozenset({"app.fieldcamp.test"}))
PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8
192.0.0.9 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::7f00:1 64:ff9b::7f00:1
64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 fc00::1
fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 5f00::1 4000::1 nonsense
"""
PUBLIC = "1.1.1.1 8.8.8.8 93.184.216.34 172.15.255.255 172.32.0.1 2606:4700:4700::1111 2a00:1450:4001::200e"


@pytest.mark.parametrize("address", PRIVATE.split())
def test_a_number_that_is_not_the_public_internets(address):
    assert not is_public(address)
    with pytest.raises(AddressRefused):
        checked(["8.8.8.8", address], RULES)  # one bad one among good ones is enough


@pytest.mark.parametrize("address", PUBLIC.split())
def test_a_public_number(address):
    assert is_public(address)
    assert checked([address], RULES) == [address]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/x", Refusal.NOT_HTTPS),
        ("ftp://example.com/x", Refusal.NO_URL),
        ("//example.com/x", Refusal.NO_URL),
        ("example.com", Refusal.NO_URL),
        ("https://", Refusal.NO_URL),
        ("https://exa mple.com/", Refusal.NO_URL),
        ("https://example.com/\r\nX: y", Refusal.NO_URL),
        ("https://example.com/\tx", Refusal.NO_URL),
        ("https://example.com\\@127.0.0.1/", Refusal.NO_URL),
        ("https://①②⑦.⓪.⓪.①/", Refusal.NO_URL),
        ("https://bücher.example/", Refusal.NO_URL),
        ("https://example.com:99999/", Refusal.NO_URL),
        ("https://example.com:abc/", Refusal.NO_URL),
        ("https://[::1/", Refusal.NO_URL),
        ("https://-a.example.com/", Refusal.NO_URL),
        ("https://a..example.com/", Refusal.NO_URL),
        ("https://%31%32%37.example.com/", Refusal.NO_URL),
        (f"https://example.com/{'x' * 2048}", Refusal.TOO_LONG),
        ("https://example.com:8443/", Refusal.PORT),
        ("https://example.com:22/", Refusal.PORT),
        ("https://example.com:0/", Refusal.PORT),
        ("https://user@example.com/", Refusal.USER),
        ("https://user:pass@example.com/", Refusal.USER),
        ("https://@example.com/", Refusal.USER),
        ("https://example.com/#x", Refusal.FRAGMENT),
        ("https://example.com/#", Refusal.FRAGMENT),
        ("https://127.0.0.1/", Refusal.LITERAL),
        ("https://127.1/", Refusal.LITERAL),
        ("https://2130706433/", Refusal.LITERAL),
        ("https://0x7f.1/", Refusal.LITERAL),
        ("https://0x7f000001/", Refusal.LITERAL),
        ("https://0177.0.0.1/", Refusal.LITERAL),
        ("https://8.8.8.8/", Refusal.LITERAL),
        ("https://8.8.8.8./", Refusal.LITERAL),
        ("https://[2606:4700::1]/", Refusal.LITERAL),
        ("https://localhost/", Refusal.PRIVATE_NAME),
        ("https://localhost./", Refusal.PRIVATE_NAME),
        ("https://intranet/", Refusal.PRIVATE_NAME),
        ("https://x.localhost/", Refusal.PRIVATE_NAME),
        ("https://printer.LOCAL/", Refusal.PRIVATE_NAME),
        ("https://metadata.google.internal/", Refusal.PRIVATE_NAME),
        ("https://router.home.arpa/", Refusal.PRIVATE_NAME),
        ("https://App.FieldCamp.test/x", Refusal.OURS),
        ("https://app.fieldcamp.test./x", Refusal.OURS),
    ],
)
def test_an_address_that_is_refused_before_anybody_is_asked(url, reason):
    with pytest.raises(AddressRefused) as refused:
        destination_of(url, RULES)
    assert refused.value.reason == reason


def test_an_address_is_taken_apart_once():
    there = destination_of("https://Hooks.Example.com./a/b?c=d&e=%20", RULES)
    assert (there.scheme, there.host, there.port) == ("https", "hooks.example.com", 443)
    assert (there.target, there.host_header) == ("/a/b?c=d&e=%20", "hooks.example.com")


def test_another_port_is_named_to_the_receiver():
    rules = AddressRules(ports=frozenset({443, 8443}))
    assert destination_of("https://example.com:8443", rules).host_header == "example.com:8443"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/x", "http://localhost/", "https://[::1]:9/"])
def test_private_networks_where_the_demo_allows_them(url):
    assert destination_of(url, AddressRules(allow_private=True)).target.startswith("/")
    assert checked(["127.0.0.1"], AddressRules(allow_private=True))


def test_what_is_no_address_is_refused_even_there():
    with pytest.raises(AddressRefused):
        destination_of("http://user@localhost/", AddressRules(allow_private=True))

"""Who is who: what is certain is linked, what is likely is asked, and where two could be meant nobody is."""

import pytest

from integrations.books.matching import Candidate, match_by, match_people
from integrations.sync import folding


def ours(id: str, **known) -> Candidate:
    return Candidate(id, **known)


def theirs(id: int, **known) -> Candidate:
    return Candidate(id, remote_id=f"r{id}", **known)


def by_name(one: Candidate) -> str | None:
    return one.name.casefold() or None


def by_sku(one: Candidate):
    return one.extra


ADA, KIM = {"email": "ada@example.test"}, {"email": "kim@example.test"}


def test_one_of_each_with_an_e_mail_address_is_the_same():
    found = match_people([ours("a", **ADA), ours("k", **KIM)], [theirs(1, **KIM), theirs(2, **ADA)])
    assert (found.links, found.doubts) == ({"a": 2, "k": 1}, {})


def test_an_address_is_the_same_whatever_its_capitals():
    found = match_people([ours("a", email="Ada@Example.test")], [theirs(1, email="ADA@example.TEST")])
    assert found.links == {"a": 1}


def test_two_of_ours_with_one_address_are_a_question():
    """One customer, who may be either: nobody is linked, and both are asked about."""
    found = match_people([ours("a", **ADA), ours("b", **ADA)], [theirs(1, **ADA)])
    assert (found.links, found.doubts) == ({}, {"a": ["r1"], "b": ["r1"]})


def test_two_of_theirs_with_one_address_are_a_question():
    found = match_people([ours("a", **ADA)], [theirs(1, **ADA), theirs(2, **ADA)])
    assert (found.links, found.doubts) == ({}, {"a": ["r1", "r2"]})


def test_who_shares_an_address_is_told_apart_by_the_name():
    office = {"email": "office@example.test"}
    found = match_people(
        [ours("a", name="Ada Park", **office), ours("b", name="Bea Stone", **office)],
        [theirs(1, name="Stone, Bea", **office), theirs(2, name="ada park", **office)],
    )
    assert (found.links, found.doubts) == ({"a": 2, "b": 1}, {})


def test_without_an_address_name_and_phone_together_are_enough():
    found = match_people(
        [ours("a", name="Ada Park", phone="+1 555 010 0001")], [theirs(1, name="Park, Ada", phone="(555) 010-0001")]
    )
    assert (found.links, found.doubts) == ({"a": 1}, {})


@pytest.mark.parametrize("phone", ["", "555 010 0002"])
def test_a_name_alone_is_a_question(phone):
    """Two people may have it; so may the same one with another number."""
    found = match_people([ours("a", name="Ada Park", phone="555 010 0001")], [theirs(1, name="ada park", phone=phone)])
    assert (found.links, found.doubts) == ({}, {"a": ["r1"]})


def test_a_phone_number_alone_says_nothing():
    phone = {"phone": "555 010 0001"}
    found = match_people([ours("a", name="Ada Park", **phone)], [theirs(1, name="Bea Stone", **phone)])
    assert (found.links, found.doubts) == ({}, {})


def test_two_with_one_name_and_phone_are_a_question():
    same = {"name": "Ada Park", "phone": "555 010 0001"}
    assert match_people([ours("a", **same), ours("b", **same)], [theirs(1, **same)]).links == {}
    assert match_people([ours("a", **same)], [theirs(1, **same), theirs(2, **same)]).links == {}


def test_who_is_linked_is_nobody_elses():
    """The address says that it is the first; the second has but the name in common with it."""
    found = match_people(
        [ours("a", name="Ada Park", **ADA), ours("b", name="Ada Park")], [theirs(1, name="Ada Park", **ADA)]
    )
    assert (found.links, found.doubts) == ({"a": 1}, {})


def test_each_candidate_of_a_question_is_named_once():
    found = match_people(
        [ours("a", name="Ada Park", **ADA)],
        [theirs(1, name="Ada Park", **ADA), theirs(2, name="Ada Park", **ADA), theirs(3, name="Ada Park")],
    )
    assert (found.links, found.doubts) == ({}, {"a": ["r1", "r2", "r3"]})


def test_nothing_in_common_is_no_question():
    found = match_people([ours("a", name="Ada Park", **ADA)], [theirs(1, name="Bea Stone", **KIM)])
    assert (found.links, found.doubts) == ({}, {})


def test_blank_is_nobodys_mark():
    """Two records that both lack an address, a name and a number have nothing in common."""
    found = match_people([ours("a"), ours("b")], [theirs(1)])
    assert (found.links, found.doubts) == ({}, {})


# --- items, invoices, payments: by keys in order ----------------------------------------------------------------------


def test_the_first_key_that_fits_decides():
    found = match_by(
        [ours("a", name="Drain", extra="D-1"), ours("b", name="Tap", extra="T-1")],
        [theirs(1, name="Tap", extra="D-1"), theirs(2, name="Drain", extra=None)],
        by_sku, by_name,
    )  # fmt: skip
    assert found.links == {"a": 1}  # by number; "Tap" is taken then, so b is nobody's
    assert found.doubts == {}


@pytest.mark.parametrize(
    ("mine", "others"),
    [(["a", "b"], [1]), (["a"], [1, 2]), (["a", "b"], [1, 2])],
    ids=["two of ours", "two of theirs", "two of each"],
)
@pytest.mark.parametrize("key", [by_name, by_sku], ids=["by name", "by number"])
def test_where_two_could_be_meant_nobody_is(mine, others, key):
    known = {"name": "Drain", "extra": "D-1"}
    found = match_by([ours(id, **known) for id in mine], [theirs(id, **known) for id in others], key, ask=key)
    assert found.links == {}
    assert found.doubts == {id: [f"r{other}" for other in others] for id in mine}


def test_what_shares_the_asked_key_only_is_a_question_and_without_one_nothing_is():
    mine, others = [ours("a", name="Drain", extra="D-1")], [theirs(1, name="drain", extra="D-2")]
    assert match_by(mine, others, by_sku, ask=by_name).doubts == {"a": ["r1"]}
    assert match_by(mine, others, by_sku).doubts == {}


def test_what_is_linked_is_not_asked_about():
    found = match_by([ours("a", name="Drain")], [theirs(1, name="Drain")], by_name, ask=by_name)
    assert (found.links, found.doubts) == ({"a": 1}, {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Smith, John", "john smith"),
        ("José  Núñez", "jose nunez"),
        ("O'Brien & Sons", "OBrien and Sons"),
        ("Reed-Cole", "reed cole"),
        ("STRASSE", "straße"),
        ("  Kim\tReed ", "kim reed"),
    ],
)
def test_names_that_are_the_same(one, other):
    assert folding.name(one) == folding.name(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("Smith, Jones, Partners", "Jones, Partners Smith"), ("Kim Reed", "Reed"), ("Smith,", "Smith, J")],
)
def test_names_that_are_not(one, other):
    assert folding.name(one) != folding.name(other)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("+1 (555) 010-0001", "5550100001"),
        ("5550100001", "5550100001"),
        ("010-0001", "0100001"),
        ("10-0001", ""),
        ("", ""),
        ("ext. 12", ""),
    ],
)
def test_phone_numbers(text, plain):
    assert folding.phone(text) == plain


def test_one_address_under_two_names_is_one_client():
    found = match_people([ours("a", name="Ada Park", **ADA)], [theirs(1, name="Ada Stone", **ADA)])
    assert (found.links, found.doubts) == ({"a": 1}, {})


def test_two_without_a_name_are_not_the_same_for_their_phone():
    phone = {"phone": "555 010 0001"}
    assert match_people([ours("a", **phone)], [theirs(1, **phone)]).links == {}


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Ada  Park", "ada park"),
        ("Park, Ada", "ada park"),
        ("Park,", "park"),
        ("Park, Ada, Dr", "park ada dr"),  # which of the two is the first name nobody knows
        ("Acme & Sons", "acme and sons"),
        ("O'Neill", "oneill"),
    ],
)
def test_names_are_compared_by_their_letters(written, compared):
    assert folding.name(written) == compared

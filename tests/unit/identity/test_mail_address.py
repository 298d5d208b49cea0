"""E-mail addresses: one spelling each, and texts that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.identity.mail_address import normalise_email


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("lan@x.vn", "lan@x.vn"),
        ("  Lan@X.VN ", "lan@x.vn"),
        ("lan@x.vn.", "lan@x.vn"),
        ("LAN＠ｘ．vn", "lan@x.vn"),
        ("lan@x。vn", "lan@x.vn"),
        ("lan\u200b@x.vn", "lan@x.vn"),
        ('"lan"@x.vn', "lan@x.vn"),
        ('"la\\n"@x.vn', "lan@x.vn"),
        ('"lan nguyen"@x.vn', '"lan nguyen"@x.vn'),
        ('"lan\\"n"@x.vn', '"lan\\"n"@x.vn'),
        ('"a@b"@x.vn', '"a@b"@x.vn'),
        ("lan+shop@x.vn", "lan+shop@x.vn"),
        ("o'brien@x.vn", "o'brien@x.vn"),
        ("lan@bücher.de", "lan@xn--bcher-kva.de"),
        ("lan@XN--bcher-KVA.de", "lan@xn--bcher-kva.de"),
        ("lan@BÜCHER.de", "lan@xn--bcher-kva.de"),
        ("Đức@x.vn", "đức@x.vn"),
        ("Đu\u031b\u0301c@x.vn", "đ\u1ee9c@x.vn"),
        ("lan@mail.x.com.vn", "lan@mail.x.com.vn"),
    ],
)
def test_one_spelling(written: str, canonical: str) -> None:
    assert normalise_email(written) == canonical
    assert normalise_email(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "lan",
        "lan@",
        "@x.vn",
        "lan@x",
        "lan@localhost",
        "lan@10.0.0.1",
        "lan@[10.0.0.1]",
        "lan(work)@x.vn",
        "lan@x.vn (work)",
        "Lan Nguyen <lan@x.vn>",
        "lan@@x.vn",
        "a@b@x.vn",
        "lan nguyen@x.vn",
        "lan..n@x.vn",
        ".lan@x.vn",
        "lan.@x.vn",
        '""@x.vn',
        "lan@-x.vn",
        "lan@x_y.vn",
        "lan@x..vn",
        "lan@xn--zz--.vn",
        "lan,hoa@x.vn",
        "lan@x.vn;hoa@x.vn",
        "mailto:lan@x.vn",
        "lan\n@x.vn",
        "l" * 65 + "@x.vn",
        "đ" * 33 + "@x.vn",
        "lan@" + "x" * 64 + ".vn",
        "lan@" + ".".join(["x" * 60] * 5) + ".vn",
    ],
)
def test_no_address(text: str) -> None:
    assert normalise_email(text) is None


def test_the_longest_mailbox_is_accepted() -> None:
    assert normalise_email("l" * 64 + "@x.vn") == "l" * 64 + "@x.vn"


@given(st.one_of(st.text(), st.emails(), st.from_regex(r'[\w".\\ +@]{1,12}@[\w.\-]{1,12}\.[a-z]{2}', fullmatch=True)))
def test_normalising_is_idempotent(text: str) -> None:
    once = normalise_email(text)
    if once is not None:
        assert normalise_email(once) == once
        assert once == once.lower()
        assert len(once) <= 254


@given(st.emails())
def test_case_space_and_a_final_dot_do_not_matter(address: str) -> None:
    canonical = normalise_email(address)
    assert normalise_email(f" {address.upper()}.\t") == canonical

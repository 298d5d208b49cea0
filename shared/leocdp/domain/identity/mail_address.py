"""One spelling per e-mail address, so that equal addresses are equal texts.

Lower case throughout (RFC 5321 lets a mailbox distinguish case; no provider does), domains as IDNA A-labels (UTS 46),
quotes only where the mailbox needs them. A plus-tag is kept: it is another mailbox for most of the world.
"""

from __future__ import annotations

from re import compile
from typing import Final
from unicodedata import normalize

import idna

LONGEST_ADDRESS: Final = 254
LONGEST_MAILBOX: Final = 64
"""Octets, RFC 5321 4.5.3.1."""

_ASCII: Final = compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.\-]+@[a-z0-9.\-]+")
_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_ATOMS: Final = compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED: Final = compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[ -~])*)"')
_ESCAPED: Final = compile(r"\\(.)")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_DOMAIN: Final = compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
"""At least two labels, the last of them no number: addresses of machines (a@localhost, a@10.0.0.1) name no person."""
_PLAIN: Final = compile(rf"([a-z0-9!#$%&'*+/=?^_`{{|}}~\-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{{|}}~\-]+)*)@{_DOMAIN.pattern}")
"""What nearly all addresses look like: canonical already, save for the lengths and names in punycode."""
_INVISIBLE: Final = compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


def normalise_email(text: str) -> str | None:
    """The canonical form, or None for what is no address: a comment, a display name, a domain without a dot …"""
    address = text.strip().lower()
    plain = _PLAIN.fullmatch(address)
    if plain and len(address) <= LONGEST_ADDRESS and len(plain[1]) <= LONGEST_MAILBOX and "xn--" not in address:
        return address
    if not _ASCII.fullmatch(address):
        address = _INVISIBLE.sub("", _folded(address)).strip()
    mailbox, at, domain = address.rpartition("@")
    if not at or len(address) > 4 * LONGEST_ADDRESS:
        return None
    domain = _domain(domain.removesuffix(".")) or ""
    mailbox = _mailbox(mailbox) or ""
    whole = f"{mailbox}@{domain}"
    if not mailbox or not domain or len(whole.encode("utf-8", "replace")) > LONGEST_ADDRESS:
        return None
    return whole


def _folded(text: str) -> str:
    """Compatibility forms (full-width letters and @) and case, until nothing changes any more."""
    folded = normalize("NFKC", normalize("NFKC", text).lower())
    return normalize("NFKC", folded.lower())


def _mailbox(text: str) -> str | None:
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        content = _ESCAPED.sub(r"\1", quoted[1])
        text = content if _ATOMS.fullmatch(content) else _in_quotes(content)
    elif not _ATOMS.fullmatch(text):
        return None
    return (
        text
        if text != '""' and text.isprintable() and len(text.encode("utf-8", "replace")) <= LONGEST_MAILBOX
        else None
    )


def _in_quotes(content: str) -> str:
    escaped = content.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _domain(text: str) -> str | None:
    if not text.isascii() or "xn--" in text:
        try:
            text = idna.encode(text, uts46=True).decode("ascii").lower()
        except (UnicodeError, ValueError, IndexError):
            # Not a name that could be registered: whatever the library says of it, it is no address.
            return None
    return text if len(text) <= 253 and _DOMAIN.fullmatch(text) else None

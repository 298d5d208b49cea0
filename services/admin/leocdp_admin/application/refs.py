"""How requests name a person: a profile id, or ``kind:value`` normalised the way events are."""

from __future__ import annotations

from re import compile
from typing import Final

from leocdp.domain.errors import DomainError, Problem
from leocdp.domain.identity.identifiers import DEFAULT_SPACE, Identifier, parse_key
from leocdp.domain.identity.normalise import normalise_ref
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_reader import ProfileReader
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.errors import Forbidden, NotFound, Unacceptable
from leocdp_admin.application.masking import is_contact

_PROFILE_ID: Final = compile(r"prf_[0-9a-f]{28}")


def not_found() -> NotFound:
    return NotFound("profile_not_found", "There is no profile with this id or identifier.")


def parse_ref(ref: str, rules: IdentityRules, actor: Actor, path: str = "ref") -> Identifier | str:
    """What to look for.

    Raises Unacceptable for what cannot be a reference, NotFound for a value that never becomes an identifier (blocked,
    malformed), Forbidden when the actor may not search by an exact contact.
    """
    if ref.startswith("prf_"):
        if not _PROFILE_ID.fullmatch(ref):
            raise not_found()
        return ref
    identifier = _normalised(ref, rules, path)
    if actor.masked and is_contact(identifier.kind, identifier.value):
        raise Forbidden("Your role does not allow a search by exact contact.", "role_not_allowed")
    return identifier


async def find_root(reader: ProfileReader, actor: Actor, ref: str, rules: IdentityRules) -> Profile:
    """The person that a reference leads to now. Raises what :func:`parse_ref` raises, and NotFound."""
    root = await reader.find(parse_ref(ref, rules, actor))
    if root is None:
        raise not_found()
    return root


def ref_of(kind: str, value: str, id_space: str = DEFAULT_SPACE) -> str:
    """The reference of an identifier that came in parts."""
    return f"{kind}@{id_space}:{value}" if id_space not in ("", DEFAULT_SPACE) else f"{kind}:{value}"


def _normalised(ref: str, rules: IdentityRules, path: str) -> Identifier:
    try:
        asked = parse_key(ref.strip())
    except ValueError as error:
        problem = Problem(path, "must be a profile id or kind:value, such as email:lan@example.vn")
        raise Unacceptable([problem]) from error
    try:
        return normalise_ref(asked.kind, asked.value, asked.space, rules)
    except DomainError as error:
        # It can never have become an identifier, so nobody has it.
        raise not_found() from error

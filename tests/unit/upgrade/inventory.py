"""Fields of the structures that travel or are stored, as plain data, and what of a change older readers cannot take.

The rule (docs/operations/upgrade.md): readers ignore what they do not know; fields are only added, at the end where a
structure is written as an array, and with a default; nothing is renamed, removed or given another type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from leocdp.contracts.commands import CommandRecord
from leocdp.contracts.config_entries import ComputedTraitConfig, ConfigEntry, ListConfig, SegmentConfig, SourceConfig
from leocdp.contracts.log_records import AcceptedRecord, DeadLetter, RejectedRecord
from leocdp.contracts.principal import _Signed
from leocdp.domain.decisions import CommandOutcome, MergeRecord, OutboxRecord, RefusalRecord, SwitchRecord
from leocdp.domain.privacy.ledger import ErasureReceipt
from leocdp.domain.profiles.state import Profile
from leocdp.ports.admin_store import AuditEntry, IssuedCommand, KeyRow, LinkRow, PrivacyRow, SessionRow, UserRow
from leocdp_gateway.admin import ApiKey

STRUCTURES: Final[tuple[type[Any], ...]] = (
    *(AcceptedRecord, RejectedRecord, DeadLetter, CommandRecord),
    *(ConfigEntry, SourceConfig, SegmentConfig, ComputedTraitConfig, ListConfig),
    *(Profile, OutboxRecord, CommandOutcome, MergeRecord, SwitchRecord, RefusalRecord, ErasureReceipt),
    *(UserRow, SessionRow, LinkRow, KeyRow, AuditEntry, IssuedCommand, PrivacyRow),
    *(_Signed, ApiKey),
)
"""All that a service writes and another one, or a later version, reads; what they are made of is found from them."""

Inventory = Mapping[str, Mapping[str, Any]]


def inventory() -> dict[str, dict[str, Any]]:
    """Name → ``{"form", "fields": [{"name", "type", "required", "default"}, …]}`` in their order."""
    found: dict[str, dict[str, Any]] = {}
    for info in inspect.multi_type_info(STRUCTURES):
        _note(info, found)
    return dict(sorted(found.items()))


def _note(info: inspect.Type, found: dict[str, dict[str, Any]]) -> None:
    if isinstance(info, inspect.StructType | inspect.DataclassType | inspect.NamedTupleType):
        name = info.cls.__name__
        if name in found:
            return
        found[name] = {"form": _form(info), "fields": [_field(field) for field in info.fields]}
        for field in info.fields:
            _note(field.type, found)
    for inner in _parts(info):
        _note(inner, found)


def _form(info: inspect.Type) -> str:
    """``map``; ``array``, which may get longer; ``tuple``, which a reader takes in this length only."""
    if isinstance(info, inspect.NamedTupleType):
        return "tuple"
    return "array" if getattr(info, "array_like", False) else "map"


def _parts(info: inspect.Type) -> Iterable[inspect.Type]:
    if isinstance(info, inspect.UnionType):
        return info.types
    if isinstance(info, inspect.DictType):
        return (info.key_type, info.value_type)
    if isinstance(info, inspect.TupleType):
        return info.item_types
    if isinstance(info, inspect.CollectionType):
        return (info.item_type,)
    return ()


def _field(field: inspect.Field) -> dict[str, Any]:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    shown = None if default is msgspec.NODEFAULT else repr(default)
    return {"name": field.encode_name, "type": _kind(field.type), "required": field.required, "default": shown}


def _kind(info: inspect.Type) -> str:
    """What stands on the wire: constraints and the difference between kinds of lists do not."""
    if isinstance(info, inspect.UnionType):
        return "|".join(sorted(_kind(one) for one in info.types))
    if isinstance(info, inspect.DictType):
        return f"dict[{_kind(info.key_type)}, {_kind(info.value_type)}]"
    if isinstance(info, inspect.TupleType):
        return f"tuple[{', '.join(_kind(one) for one in info.item_types)}]"
    if isinstance(info, inspect.CollectionType):
        return f"list[{_kind(info.item_type)}]"
    if isinstance(info, inspect.LiteralType | inspect.EnumType):
        return "str"
    if isinstance(info, inspect.StructType | inspect.DataclassType | inspect.NamedTupleType):
        return info.cls.__name__
    return type(info).__name__.removesuffix("Type").lower()


def breaks(released: Inventory, today: Inventory) -> list[str]:
    """What readers of the release could not take of what is written today, and the other way round."""
    found = []
    for name, old in released.items():
        new = today.get(name)
        if new is None:
            found.append(f"{name} is gone")
        elif old["form"] != new["form"]:
            found.append(f"{name} is written in another form")
        else:
            found += [f"{name}.{problem}" for problem in _changes(old, new)]
    return found


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    for name, field in before.items():
        if name not in after:
            yield f"{name} is gone"
        elif after[name]["type"] != field["type"]:
            yield f"{name} was {field['type']} and is {after[name]['type']}"
        elif not field["required"] and after[name]["default"] != field["default"]:
            yield f"{name} means something else where it is left out"
        elif field["required"] != after[name]["required"]:
            yield f"{name} was {'needed' if field['required'] else 'optional'} and is not any more"
    for name, field in after.items():
        if name not in before and (field["required"] or old["form"] == "tuple"):
            yield f"{name} is new and older readers cannot do with it, or newer ones without it"
    if old["form"] != "map" and list(after)[: len(before)] != list(before):
        yield f"{'/'.join(before)} are not the first fields in this order"

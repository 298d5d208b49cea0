"""The rules of identity as a form: phone country, limits, details that are identifiers, what belongs to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from leocdp.domain.errors import Problem
from leocdp.domain.identity.kinds import DEFAULT_BLOCKED_PATTERNS, DEFAULT_BLOCKED_VALUES, BlockedPattern, KindRule
from leocdp.domain.identity.rules import IdentityRules
from leocdp_admin.forms.form import Form
from leocdp_admin.forms.problem_words import problem_text
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

MORE: Final = 3
"""Empty rows for further details."""
MOST_DETAILS: Final = 200
_LIMIT: Final = N_("Write a whole number from 1 to 1,000, or leave it empty: then any number.")
_DETAIL: Final = N_("Choose what this detail identifies.")
_TWICE: Final = N_("This detail is there twice.")


def limited(rules: IdentityRules) -> list[KindRule]:
    """The kinds of which a person may have so many: those of devices come and go by themselves."""
    return sorted((one for one in rules.kinds.values() if not one.device), key=lambda one: (one.priority, one.name))


def identity_form(rules: IdentityRules, version: int) -> Form:
    form = Form.of(version=str(version), phone_region=rules.phone_region, nobody="\n".join(_own(rules)))
    for kind in limited(rules):
        form.values[f"limit.{kind.name}"] = "" if kind.limit is None else str(kind.limit)
    for index, (trait, means) in enumerate([*sorted(rules.trait_kinds.items()), *[("", "")] * MORE]):
        form.values[f"trait.{index}"], form.values[f"kind.{index}"] = trait, means
    return form


def details(form: Form) -> list[int]:
    """The numbers of the rows of details that the form has."""
    return [index for index in range(MOST_DETAILS) if f"trait.{index}" in form.values]


def identity_asked(form: Form, rules: IdentityRules, l10n: Localisation) -> IdentityRules | None:
    """``rules`` as the form has them; None when the form has problems, which it then holds."""
    kinds = {**rules.kinds, **{kind.name: replace(kind, limit=_limit(form, kind, l10n)) for kind in limited(rules)}}
    traits = dict(_details(form, l10n))
    values, patterns = _nobody(form)
    if not form.ok:
        return None
    return replace(
        rules,
        kinds=kinds,
        phone_region=form.values["phone_region"],
        # In the order that they are kept in, so that saving without a change changes nothing.
        trait_kinds={name: traits[name] for name in (*(n for n in rules.trait_kinds if n in traits), *traits)},
        blocked_values=frozenset({*(rules.blocked_values & DEFAULT_BLOCKED_VALUES), *values}),
        blocked_patterns=(*(one for one in rules.blocked_patterns if not _own_pattern(one)), *patterns),
    )


def blame(form: Form, problems: Sequence[Problem], l10n: Localisation) -> None:
    """What the application says about the rules, beside the field that it is about."""
    for path, problem in problems:
        part = path.split(".")[0].split("[")[0]
        if part == "trait_kinds":
            row = next((at for at in details(form) if f"trait_kinds.{form.values[f'trait.{at}'].strip()}" == path), 0)
            form.blame(f"trait.{row}", problem_text(problem, l10n))
        else:
            field = "phone_region" if part == "phone_region" else "nobody"
            form.blame(field, f"{path}: {problem_text(problem, l10n)}")


def _own(rules: IdentityRules) -> Iterator[str]:
    """Values and patterns that are not built in."""
    yield from sorted(rules.blocked_values - DEFAULT_BLOCKED_VALUES)
    yield from (one.pattern for one in rules.blocked_patterns if _own_pattern(one))


def _own_pattern(pattern: BlockedPattern) -> bool:
    """Those for one kind only are left to the API, as are the built-in ones."""
    return not pattern.kind and pattern not in DEFAULT_BLOCKED_PATTERNS


def _nobody(form: Form) -> tuple[list[str], list[BlockedPattern]]:
    lines = dict.fromkeys(line.strip() for line in form.values["nobody"].splitlines() if line.strip())
    patterns = [BlockedPattern(line) for line in lines if "*" in line or "?" in line]
    return [line.lower() for line in lines if "*" not in line and "?" not in line], patterns


def _limit(form: Form, kind: KindRule, l10n: Localisation) -> int | None:
    name = f"limit.{kind.name}"
    if name not in form.values:
        return kind.limit
    text = form.values[name].strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not 1 <= int(text) <= 1_000:
        form.blame(name, l10n.gettext(_LIMIT))
        return kind.limit
    return int(text)


def _details(form: Form, l10n: Localisation) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index in details(form):
        trait, kind = form.values[f"trait.{index}"].strip(), form.values[f"kind.{index}"]
        if trait and not kind:
            form.blame(f"trait.{index}", l10n.gettext(_DETAIL))
        elif trait in seen:
            form.blame(f"trait.{index}", l10n.gettext(_TWICE))
        elif trait:
            seen.add(trait)
            yield trait, kind

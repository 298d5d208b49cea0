"""What conditions may name: the scores, funnel stages and kinds of identifier that there are."""

from __future__ import annotations

from leocdp.domain.scoring.model import SCORES
from leocdp.domain.segments.parse import KnownNames
from leocdp_admin.application.settings_in_force import SettingsInForce


async def known_names(settings: SettingsInForce) -> KnownNames:
    scoring, rules = await settings.scoring(), await settings.identity_rules()
    return KnownNames(scores=SCORES, stages=scoring.ranks.keys(), kinds={*rules.kinds, "social"})

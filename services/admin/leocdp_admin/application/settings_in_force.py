"""The settings that answers depend on, kept in memory for a moment: several admin processes may share a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leocdp.domain.identity.rules import IdentityRules, RulesInvalid, default_rules, rules_from
from leocdp.domain.scoring.document import ScoringInvalid, scoring_from
from leocdp.domain.scoring.model import Scoring
from leocdp.kit.logs import get_logger
from leocdp.ports.admin_store import AdminStore
from leocdp.ports.clock import Clock
from leocdp_admin.application.shapes.administration import ConsentSettingsAsked, PurposeAsked, WorkspaceAsked

logger = get_logger(__name__)

SETTINGS_ID = "default"
FRESH_MS = 1_000

IDENTITY_RULES = "identity_rules"
CONSENT = "consent"
WORKSPACE = "workspace"
SCORING = "scoring"

DEFAULT_PURPOSES = ConsentSettingsAsked(
    purposes=[
        PurposeAsked(id="analytics", name="Analytics", description="Measure how the offer is used."),
        PurposeAsked(id="marketing", name="Marketing", description="Send news and offers."),
        PurposeAsked(id="personalization", name="Personalization", description="Adapt content to the person."),
        PurposeAsked(id="sharing", name="Sharing", description="Pass data on to partners."),
    ]
)


@dataclass(frozen=True, slots=True)
class _Held:
    at: int
    rules: IdentityRules
    purposes: Mapping[str, str]
    workspace: WorkspaceAsked
    scoring: Scoring


class SettingsInForce:
    def __init__(self, store: AdminStore, clock: Clock, *, time_zone: str = "UTC") -> None:
        self._store = store
        self._clock = clock
        self._default_workspace = WorkspaceAsked(time_zone=time_zone)
        self._held: _Held | None = None

    async def identity_rules(self) -> IdentityRules:
        return (await self._fresh()).rules

    async def purposes(self) -> Sequence[str]:
        """Ids of the consent purposes."""
        return tuple((await self._fresh()).purposes)

    async def purpose_names(self) -> Mapping[str, str]:
        """Id → what the workspace calls it; as it is built in, empty: that has a word in every language."""
        built_in = {purpose.id: purpose.name for purpose in DEFAULT_PURPOSES.purposes}
        purposes = (await self._fresh()).purposes
        return {id_: "" if name == built_in.get(id_) else name for id_, name in purposes.items()}

    async def workspace(self) -> WorkspaceAsked:
        return (await self._fresh()).workspace

    async def scoring(self) -> Scoring:
        return (await self._fresh()).scoring

    def forget(self) -> None:
        """After a change by this process."""
        self._held = None

    async def _fresh(self) -> _Held:
        now = self._clock.now()
        if self._held is None or not 0 <= now - self._held.at < FRESH_MS:
            self._held = await self._read(now)
        return self._held

    async def _read(self, now: int) -> _Held:
        consent = await self._store.entry(CONSENT, SETTINGS_ID)
        workspace = await self._store.entry(WORKSPACE, SETTINGS_ID)
        purposes = ConsentSettingsAsked.model_validate(consent.data) if consent else DEFAULT_PURPOSES
        return _Held(
            at=now,
            rules=await self._rules(),
            purposes={purpose.id: purpose.name for purpose in purposes.purposes},
            workspace=WorkspaceAsked.model_validate(workspace.data) if workspace else self._default_workspace,
            scoring=await self._scoring(),
        )

    async def _rules(self) -> IdentityRules:
        entry = await self._store.entry(IDENTITY_RULES, SETTINGS_ID)
        if entry is None:
            return default_rules()
        try:
            return rules_from(entry.data)
        except RulesInvalid as error:
            # Saved by another version; the processor keeps its last valid rules likewise.
            logger.error("identity rules are not valid; the defaults are shown", version=entry.version)
            logger.debug("identity rules", problem=str(error))
            return default_rules()

    async def _scoring(self) -> Scoring:
        entry = await self._store.entry(SCORING, SETTINGS_ID)
        try:
            return scoring_from(entry.data if entry else {})
        except ScoringInvalid:
            # Saved by another version; the processor keeps its last valid table likewise.
            logger.error("the metric table is not valid; the default is shown", version=entry.version if entry else 0)
            return scoring_from({})

"""The identity rules in force, kept up to date from the configuration topic."""

from __future__ import annotations

from leocdp.domain.identity.rules import IdentityRules, RulesInvalid, default_rules, rules_from
from leocdp.kit.logs import get_logger
from leocdp.ports.config_view import ConfigView

logger = get_logger(__name__)


class LiveRules:
    """Holds the latest valid rules. An entry that is not valid is logged, and the rules before it stay."""

    def __init__(self, view: ConfigView) -> None:
        self._view = view
        self._version = 0
        self._rules = default_rules()

    async def ready(self) -> None:
        """Wait until the configuration has been read to its end once."""
        await self._view.wait_ready()

    @property
    def current(self) -> IdentityRules:
        entry = self._view.entry("identity_rules", "default")
        version = entry.version if entry else 0
        if version != self._version:
            self._version = version
            try:
                self._rules = rules_from(entry.data) if entry else default_rules()
            except RulesInvalid as error:
                logger.error("identity rules are not valid; the former ones stay", version=version, problem=str(error))
        return self._rules

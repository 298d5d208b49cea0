"""Sources, keys, users, settings, audit and status."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from leocdp.ports.admin_store import Role
from leocdp_admin.application.actor import Scope
from leocdp_admin.application.shapes.base import Asked, Moment, PageAsked, Shape

READ_ONLY = frozenset(
    {
        *("id", "version", "updated_at", "created_at", "last_login_at", "last_event_at", "write_key", "email"),
        *("invitation", "text", "size", "status", "reason", "condition_version", "building"),
    }
)


class Edited(Asked):
    """A PUT body. What was read may be sent back whole: read-only fields are left aside, not refused."""

    @model_validator(mode="before")
    @classmethod
    def _without_read_only(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name in cls.model_fields or name not in READ_ONLY}


SourceKind = Literal["browser", "server"]
IpPolicy = Literal["keep", "shorten", "drop"]
Language = Literal["en", "vi"]
ScoreModel = Literal[
    "lead",
    "prospect",
    "engagement",
    "data_quality",
    "acquisition",
    "lifetime_value",
    "effort",
    "satisfaction",
    "feedback",
    "promoter",
    "credit",
    "loyalty",
    "detractor",
]


class RemovedShape(Shape):
    """What a removal took away."""

    profiles: int
    events: int
    kept: int = Field(description="Profiles that stay as they are, because other sources know them too.")


class SourceShape(Shape):
    id: str
    name: str
    kind: SourceKind
    write_key: str
    origins: list[str]
    id_space: str
    shared_device: bool
    consent_policy: str
    enabled: bool
    ip_policy: IpPolicy
    updated_at: Moment
    last_event_at: Moment | None = None
    version: int


class SourceAsked(Edited):
    name: str = Field(min_length=1, max_length=100)
    kind: SourceKind = "browser"
    origins: list[str] = Field(
        default=["*"], max_length=100, description='Web origins that may send (`https://shop.vn`), or `"*"` for all.'
    )
    id_space: str = Field(default="default", max_length=40, description="Whose numbering its user ids follow.")
    shared_device: bool = Field(
        default=False, description="Kiosk, point of sale, call centre: its devices resolve nobody."
    )
    consent_policy: Literal["not_needed", "required"] = Field(
        default="not_needed", description="`required`: events without a word of consent count as not consented."
    )
    enabled: bool = True
    ip_policy: IpPolicy = Field(default="keep", description="What is kept of the client's address.")


class KeyShape(Shape):
    id: str
    name: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    state: Literal["active", "expired", "revoked"]


class NewKeyShape(KeyShape):
    secret: str = Field(description="Shown once; only its hash is stored.")


class KeyAsked(Asked):
    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] = Field(min_length=1)
    expires_at: datetime | None = Field(default=None, description="Null: until it is revoked.")


class UserShape(Shape):
    id: str
    email: str
    name: str
    role: Role
    status: Literal["invited", "active", "disabled"]
    language: str
    created_at: Moment
    last_login_at: Moment | None
    version: int


class InvitedUser(UserShape):
    invitation: str | None = Field(
        default=None, description="Address that works once, for seven days, to choose a password; shown once."
    )


class UserAsked(Asked):
    email: str = Field(min_length=3, max_length=254)
    name: str = Field(default="", max_length=100)
    role: Role = "viewer"
    language: Literal["", "en", "vi"] = ""
    password: str | None = Field(default=None, max_length=1000, description="Left out: the answer has an invitation.")


class UserChange(Edited):
    name: str | None = Field(default=None, max_length=100)
    role: Role | None = None
    status: Literal["invited", "active", "disabled"] | None = Field(
        default=None, description="`invited` is read only: it changes nothing."
    )
    language: Literal["", "en", "vi"] | None = None


class SettingsShape(Shape):
    """A versioned document of settings."""

    version: int = Field(description="0 as long as nobody has changed the defaults.")
    updated_at: Moment | None


class IdentitySettings(SettingsShape):
    """The identity rules in force, defaults included; a PUT may leave out what shall keep its default."""

    kinds: dict[str, Any]
    max_merges: int
    max_identifiers: int
    shared: dict[str, int]
    phone_region: str
    property_events: list[str]
    trait_kinds: dict[str, str]
    blocked_values: list[str]
    blocked_patterns: list[dict[str, str]]
    blocked_checks: list[str]


class PurposeShape(Shape):
    id: str
    name: str
    description: str = ""


class ConsentSettings(SettingsShape):
    purposes: list[PurposeShape]


class PurposeAsked(Asked):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str = Field(default="", max_length=100)
    description: str = Field(default="", max_length=500)


class ConsentSettingsAsked(Edited):
    purposes: list[PurposeAsked] = Field(min_length=1, max_length=50)


class WorkspaceSettings(SettingsShape):
    name: str
    time_zone: str
    language: Language
    currency: str


class WorkspaceAsked(Edited):
    name: str = Field(default="LEO CDP", min_length=1, max_length=100)
    time_zone: str = Field(default="UTC", max_length=100, description="IANA name, such as Asia/Ho_Chi_Minh.")
    language: Language = "en"
    currency: str = Field(default="VND", pattern=r"^[A-Z]{3}$", description="ISO 4217.")


class ScoringSettings(SettingsShape):
    """The metric table: what events are worth, and what follows from them. Durations are such as `30d`; null: none."""

    metrics: dict[str, dict[str, Any] | None] = Field(description="By id; null switches a built-in one off.")
    half_lives: dict[str, str | None]
    stages: list[dict[str, Any]] = Field(description="Of the funnel, from the lowest to the highest.")
    fields: dict[str, dict[str, Any] | None] = Field(description="What data quality counts, with weights.")
    contact_stage: str | None
    returning_stage: str | None
    returning_after: str


class AuditRow(Shape):
    id: str
    at: Moment
    actor: str
    actor_name: str
    action: str
    target: str
    client: str
    details: dict[str, Any]


class AuditAsked(PageAsked):
    actor: str = Field(default="", max_length=200)
    action: str = Field(default="", max_length=100, description="Exact, or a prefix that ends in a dot: `profile.`.")
    target: str = Field(default="", max_length=200)
    from_: datetime | None = Field(default=None, validation_alias="from", serialization_alias="from")
    to: datetime | None = None


class EngineShape(Shape):
    log: str
    store: str


class ServiceStatus(Shape):
    name: str
    instance: str
    version: str
    ready: bool
    reasons: list[str]


class PartitionStatus(Shape):
    topic: str
    partition: int
    end: int
    position: int | None = Field(description="What the store has of it; null while the store does not answer.")
    lag: int | None


class CountsShape(Shape):
    profiles: int = Field(description="Leaves.")
    people: int = Field(description="Roots.")
    identified: int
    events: int
    duplicates: int
    filtered: int
    dead_letters: int
    rejected: int


class CheckShape(Shape):
    """One line of the status page, judged as the alert rules judge it."""

    area: Literal["collecting", "processing", "storage", "services"]
    check: str = Field(description="Its name, which stays: `observers`, `lag`, `dead_letters` …")
    title: str
    state: Literal["ok", "unknown", "warning", "critical"]
    message: str
    advice: str = Field(description="What to do; empty when nothing is to be done.")
    runbook: str = Field(description="Section of the documents for who runs the servers; empty where there is none.")


class StatusShape(Shape):
    version: str
    engine: EngineShape
    services: list[ServiceStatus]
    log: list[PartitionStatus]
    lag: int | None = Field(
        description="0 when all that was accepted has its outcome; null while the log or the store does not answer."
    )
    counts: CountsShape | None = Field(description="Null while the store does not answer.")
    state: Literal["ok", "unknown", "warning", "critical"] = Field(description="The worst of the checks.")
    checked_at: Moment = Field(description="When the checks were read; a few seconds old at most.")
    events_per_minute: float | None = Field(
        description="Accepted by observers, over the last five minutes; null while it is not known."
    )
    checks: list[CheckShape]


class Accepted(Shape):
    """The command is in the log and will be applied: ask ``GET /api/v1/commands/{id}``."""

    command_id: str


class MergeResult(Shape):
    merge_id: str
    into: str = Field(description="The survivor.")
    from_: str = Field(validation_alias="from", serialization_alias="from")


class UnmergeResult(Shape):
    profiles: list[str] = Field(description="The two people.")


class ProfileResult(Shape):
    profile_id: str


class IdentifierResult(Shape):
    identifier: str = Field(description="`kind:value`")
    state: Literal["active", "shared"]


class ReviewResult(Shape):
    id: str
    state: Literal["open", "rejected"]


class CommandShape(Shape):
    id: str
    kind: str
    state: Literal["pending", "applied", "refused"]
    result: dict[str, Any] | None = None
    reason: str | None = None

"""Requests of people about their data."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from leocdp_admin.application.shapes.base import Asked, Moment, PageAsked, Shape

PrivacyKind = Literal["access", "erasure", "objection"]


_RECEIPT: Final = (
    "What was done. Of an erasure: counts of what was deleted, `profile_ids`, `at`, and `copies_until`, the day when "
    "the last copy in log and backups is gone. Of an access: `export`, where the copy can be fetched. Of an objection: "
    "`purposes`."
)


class PrivacyAsked(Asked):
    kind: PrivacyKind = Field(
        description="`access`: a copy of all that is known. `erasure`: forget the person. "
        "`objection`: deny all purposes."
    )
    ref: str = Field(
        min_length=1,
        max_length=3000,
        description="Profile id, or `kind:value`, such as `email:lan@example.vn`.",
        examples=["email:lan@example.vn"],
    )


class PrivacyRequestShape(Shape):
    id: str
    kind: PrivacyKind
    state: Literal["pending", "done", "refused"]
    profile_id: str
    created_at: Moment
    done_at: Moment | None = None
    reason: str | None = Field(default=None, description="Why it was refused.")
    command_id: str | None = None
    receipt: dict[str, Any] | None = Field(default=None, description=_RECEIPT)


class PrivacyListAsked(PageAsked):
    kind: PrivacyKind | None = None

"""All that can be set about the processor."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from leocdp.kit.settings import ErasureSettings, LogSettings, ServiceSettings, StoreSettings


class ProcessorSettings(ServiceSettings, LogSettings, StoreSettings, ErasureSettings):
    processor_port: int = Field(default=8070, ge=0, le=65535, description="Port of health and metrics.")
    processor_batch_bytes: int = Field(
        default=4_194_304, ge=65_536, description="About how many bytes of the log are decided on in one batch."
    )
    dedup_horizon_days: int = Field(default=30, ge=1, description="How long a message id is remembered, in days.")
    processor_stop_window: int = Field(
        default=1_000, ge=10, description="How many of the latest items the stop limit looks at."
    )
    processor_stop_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Processing stops when more than this part of the window could not be processed; 1 never stops.",
    )
    processor_accept_log: str = Field(
        default="",
        description="Id of a new event log to start reading from its beginning, after the old one was exchanged.",
    )
    processor_replay: bool = Field(
        default=False,
        description="Treat all that the log holds at start, and the store has not read, as a replay: destinations get "
        "nothing of it. What was processed before is known to be one without this.",
    )
    time_zone: str = Field(
        default="UTC", description="Time zone of the workspace until somebody sets it; the same for admin."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no time zone; use a name such as Asia/Ho_Chi_Minh") from error
        return value

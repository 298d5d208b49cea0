"""All that can be set about ``leocdp run``. The services read the same variables themselves."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from leocdp.kit.settings import ServiceSettings


class RunSettings(ServiceSettings):
    gateway_port: int = Field(default=8000, ge=1, le=65535, description="Port of the user interface and the API.")
    observer_port: int = Field(default=8080, ge=1, le=65535, description="Port that takes events.")
    admin_port: int = Field(default=8090, ge=1, le=65535, description="Port of admin, behind the gateway.")
    processor_port: int = Field(default=8070, ge=1, le=65535, description="Port of the processor's health and metrics.")
    gateway_secret: SecretStr | None = Field(
        default=None, description="What gateway and admin sign principals with; made in the data folder when absent."
    )
    gateway_secret_file: Path | None = Field(default=None, description="File that holds the gateway secret.")
    erasure_key: SecretStr | None = Field(
        default=None,
        description="What identifiers of erased people are hashed with; made in the data folder when absent.",
    )
    erasure_key_file: Path | None = Field(default=None, description="File that holds the erasure key.")
    bootstrap_write_key: SecretStr | None = Field(
        default=None, description="Write key of the source `quickstart`; made in the data folder when absent."
    )
    bootstrap_write_key_file: Path | None = Field(default=None, description="File that holds that write key.")
    print_login_link: bool = Field(
        default=False, description="Show the first-login link also where the output is no terminal."
    )
    start_timeout: float = Field(
        default=60.0, gt=0, description="Seconds that `leocdp run` waits until all services are ready."
    )

    supervisor_healthy_after: float = Field(
        default=10.0, gt=0, description="Seconds that a service must run for its next death to be mended at once."
    )

    def port(self, service: str) -> int:
        """Port of the service with this name."""
        port: int = getattr(self, f"{service}_port")
        return port

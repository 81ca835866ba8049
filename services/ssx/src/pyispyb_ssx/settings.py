"""The [ssx] part of ispyb.toml."""

from pydantic import Field, SecretStr, model_validator

from pyispyb_chassis.configuration import Address, DatabaseUrl, Prefix, ServiceSection


class SsxSettings(ServiceSection):
    """[ssx]: where runs are kept, and which core is asked who may see them."""

    listen: Address = "127.0.0.1:8103"
    inside_listen: Address = "127.0.0.1:9103"
    prefix: Prefix = "/ssx"
    database_url: DatabaseUrl = Field(SecretStr("sqlite:///var/db/ssx.sqlite"))
    core_url: str = Field("http://127.0.0.1:8102", pattern=r"^https?://[^/\s]+$")
    core_timeout: float = Field(
        2, gt=0, le=30, description="seconds that core may take for an answer"
    )
    access_cache_seconds: float = Field(
        15, ge=0, le=30, description="how long core's answer on what a caller reaches is used"
    )
    access_stale_seconds: float = Field(
        30, ge=0, le=30, description="how long it is used when core does not answer"
    )
    max_images_per_batch: int = Field(50_000, ge=1, le=50_000)
    max_batch_body: int = Field(64 * 2**20, ge=1024, description="bytes of a batch's body")

    @model_validator(mode="after")
    def _stale_is_longer(self) -> "SsxSettings":
        if self.access_stale_seconds < self.access_cache_seconds:
            raise ValueError("access_stale_seconds is less than access_cache_seconds")
        return self

"""The ``[shop.credentials]`` table of a Qoo10 Japan shop."""

from datetime import date
from typing import Self

from pydantic import Field, SecretStr, model_validator

from hub.core.connector_settings import ConnectorCredentials


class Qoo10Credentials(ConnectorCredentials):
    """Either a ready seller authorization key, or what is needed to have one issued."""

    seller_key: SecretStr | None = None
    """Seller authorization key (SAK, 販売者認証キー), verbatim; ends one year after its issue."""
    seller_key_issued_on: date | None = None
    """The day on which that key was issued, 2026-11-22: the check then says how long it still lives."""
    api_key: SecretStr | None = None
    """API key that Qoo10 gives on request (QSM ticket)."""
    user_id: str | None = None
    """QSM user whose key is issued."""
    password: SecretStr | None = None
    """Password of that user; changing it in QSM ends the issued key."""
    calls_per_second: float = Field(default=3.0, gt=0, le=1000)
    """Calls per second; no limit is published, 3 is what daily users found safe."""

    @model_validator(mode="after")
    def _one_form_only(self) -> Self:
        issued = (self.api_key, self.user_id, self.password)
        if self.seller_key is not None and any(value is not None for value in issued):
            message = "give either seller_key, or api_key + user_id + password, not both"
            raise ValueError(message)
        if self.seller_key is None and self.seller_key_issued_on is not None:
            message = "seller_key_issued_on goes with seller_key only"
            raise ValueError(message)
        if self.seller_key is None and any(value is None for value in issued):
            message = "give seller_key, or all of api_key, user_id and password"
            raise ValueError(message)
        given = (self.seller_key, self.api_key, self.password)
        if any(value is not None and not value.get_secret_value() for value in given) or self.user_id == "":
            message = "a key, user or password is empty"
            raise ValueError(message)
        return self

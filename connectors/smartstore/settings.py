"""The ``[shop.credentials]`` table of a SmartStore shop."""

from typing import Literal, Self

from pydantic import SecretStr, model_validator

from hub.core.connector_settings import ConnectorCredentials

#: the part up to and including /external; sellers' own applications use it
DEFAULT_BASE_URL = "https://api.commerce.naver.com/external"


class SmartstoreCredentials(ConnectorCredentials):
    client_id: str
    """Application ID of the Commerce API centre."""
    client_secret: SecretStr
    """Application secret; it looks like ``$2a$04$…``, so quote it in single quotes wherever ``$`` is expanded."""
    type: Literal["SELF", "SELLER"] = "SELF"
    """SELF = application of the store itself; SELLER = a solution acting for a seller."""
    account_id: str | None = None
    """Seller id or uid; needed for SELLER, refused for SELF."""

    @model_validator(mode="after")
    def _account_fits_type(self) -> Self:
        # A token request with account_id and SELF is "non-standard": the mall then cuts the whole
        # application to one call an hour (Commerce API discussions 3751, 3745, 3743; sure).
        if self.type == "SELF" and self.account_id:
            message = "account_id must be absent when type is SELF"
            raise ValueError(message)
        if self.type == "SELLER" and not self.account_id:
            message = "account_id is needed when type is SELLER"
            raise ValueError(message)
        return self

"""The settings class that each connector derives for its ``[shop.credentials]`` table."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hub.core.errors import ConfigurationError


class ConnectorCredentials(BaseModel):
    """Unknown keys are refused, secrets are ``SecretStr``: they never show in a repr or a log."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    @classmethod
    def read(cls, table: Mapping[str, Any], *, where: str) -> Self:
        """Read one table. ``where`` names it in errors ("shops.toml, shop main-cafe24").

        Raises: ConfigurationError naming every wrong key, never its value.
        """
        try:
            return cls.model_validate(dict(table))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(str(part) for part in item['loc']) or 'credentials'}: {item['msg']}"
                for item in error.errors()
            )
            known = ", ".join(cls.model_fields)
            what = f"{where}: {wrong}"
            raise ConfigurationError(what, fix=f"Known keys of credentials: {known}.") from None

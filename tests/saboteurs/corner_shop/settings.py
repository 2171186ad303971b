"""What an account of the corner shop needs."""

from pydantic import SecretStr

from hub.core.connector_settings import ConnectorCredentials


class CornerCredentials(ConnectorCredentials):
    user: str
    """Name of the seller."""

    secret: SecretStr
    """Sent once an hour for a token."""

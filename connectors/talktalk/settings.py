"""The ``[shop.credentials]`` table of a TalkTalk account."""

import ipaddress
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from hub.core.connector_settings import ConnectorCredentials

DEFAULT_BASE_URL = "https://gw.talk.naver.com"


class TalktalkCredentials(ConnectorCredentials):
    authorization: SecretStr
    """Key of the sending API, made in the partner centre under 개발자도구 > 챗봇API 설정 > 보내기 API."""
    account_id: str | None = None
    """Partner account, like ``wc8b1i``: an event that names another account is refused."""
    source_networks: tuple[str, ...] = ()
    """Networks that events may come from. Empty: any, since the secret address is the proof."""
    silence_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24
    """Hours of silence after an answer until what the customer writes counts as a new inquiry."""
    notification: bool = False
    """Send a push message with each answer. The platform advises against it while a customer is chatting."""

    @field_validator("source_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)
        return networks

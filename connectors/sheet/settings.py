"""What a shop without an API needs to be told: there is no account to sign in to."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

from hub.core.connector_settings import ConnectorCredentials
from hub.core.files import Level


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = "not a time zone such as Asia/Seoul"
        raise ValueError(message) from error
    return name


def _https(url: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[\w./?=&%~+-]*)?", url, re.ASCII):
        message = "not an https address of the mall's admin"
        raise ValueError(message)
    return url


class SheetCredentials(ConnectorCredentials):
    title: str = ""
    """The mall's name as people say it; default: the shop's name."""

    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = "KRW"
    """ISO 4217 code of every amount in the files."""

    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Seoul"
    """Zone of the times in the files."""

    level: Level = Level.FULL
    """full, orders_only or admin_only: how far the shop is connected."""

    admin_url: Annotated[str, AfterValidator(_https)] | None = None
    """Address of the mall's admin, for the links of the desk."""

"""Consent of a shop's owner, given in a browser: the OAuth code flow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct


class Consent(Struct, frozen=True, kw_only=True):
    """What stands now. ``scopes`` were granted, ``missing`` are those the hub needs beyond them.

    ``renew_by``: without any renewal the consent ends then and a person must give it again (aware
    UTC), or has ended when it is past. ``renewed_at``: when the hub last renewed it. ``stopped``: for
    each missing scope the capabilities (their values) that do not work without it.
    """

    scopes: tuple[str, ...]
    missing: tuple[str, ...] = ()
    renew_by: datetime | None = None
    renewed_at: datetime | None = None
    stopped: Mapping[str, tuple[str, ...]] = {}


@runtime_checkable
class AsksConsent(Protocol):
    async def consent(self) -> Consent | None:
        """What is stored, without a call to the mall. ``None``: nobody consented yet."""
        ...

    def consent_url(self, *, state: str, redirect_uri: str) -> str:
        """Where the owner's browser goes; it comes back to ``redirect_uri`` with ``state`` and a code."""
        ...

    async def redeem_consent(self, *, code: str, redirect_uri: str) -> Consent:
        """Exchange the code, once, and keep what it gives before anything else is done.

        Raises: AccessError when the mall refuses the code (used, too old, another address);
        OutcomeUnknownError when the answer was lost: the owner must consent again.
        """
        ...

    async def renew_consent(self) -> Consent:
        """Renew now, whether due or not: a shop that rests must not lose its consent.

        Raises: AccessError when the consent has ended; TransientMallError.
        """
        ...

"""Settings of the hub, all ``HUB_…`` in the environment or in ``.env``. They do not change while running."""

import re
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.core.errors import ConfigurationError
from hub.core.http import require_safe_url

#: the name is that of ``hub ivr import --pbx``
_CALL_FILE: Final = re.compile(r"(?:(?P<pbx>[A-Za-z0-9][A-Za-z0-9_.]{0,31})=)?(?P<path>/[^\0]*)", re.ASCII)


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="HUB_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    home: Path = Path(".hub")
    """Folder of database, keys, spec files. Relative to the working directory."""

    database_url: SecretStr | None = None
    """sqlite:///… or postgresql://…; absent: hub.db in HUB_HOME. Secret because it may hold a password."""

    jobs_url: SecretStr | None = None
    """Database of durable jobs; absent: jobs.db in HUB_HOME, or the same PostgreSQL as the data."""

    first_read_days: int = Field(default=90, ge=1, le=1000)
    """Days back that the first run of a shop reads. 90: the longest window of one of the malls."""

    timezone: str = "Asia/Seoul"
    """Zone of the centre: days and hours of statistics, times on screen."""

    sync_minutes: int = Field(default=5, ge=1, le=1440)
    """Minutes between two looks of the worker at a shop's changed orders."""

    open_minutes: int = Field(default=3, ge=1, le=1440)
    """Minutes between two looks of the worker at what waits for an agent: claims and inquiries."""

    worker_id: str = "w1"
    """Name of this worker slot, stable over restarts: a restarted worker goes on with its own jobs."""

    host_name: str | None = None
    """Name of this machine, told apart by it from others on the same database; absent: what the system says."""

    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    log_format: str = "auto"
    """json, console, or auto: console on a terminal, json elsewhere."""

    session_hours: int = Field(default=12, ge=1, le=168)
    """Hours until a sign-in ends: one working day."""

    incident_least: int = Field(default=5, ge=2, le=1000)
    """Cases of one product and one reason that make an incident: fewer are chance."""

    incident_hours: int = Field(default=24, ge=1, le=168)
    """Hours in which they must come; quiet for as long, the incident is over."""

    incident_ratio: float = Field(default=3.0, ge=1.0, le=100.0)
    """How many times more than usual they must be."""

    secure_cookies: bool = False
    """Set when the desk is served over https: cookies then never travel without it."""

    alert_daily: bool = False
    """Say once a day again what is still wrong; without it an alert is told once, and once when it is over."""

    alert_quarantine: int = Field(default=20, ge=1, le=1_000_000)
    """Records more in a shop's quarantine than a day before that raise an alert."""

    alert_disk_free_mb: int = Field(default=2048, ge=0, le=10_000_000)
    """Free MiB on the disk of HUB_HOME below which an alert is raised: room for a day of a large centre."""

    alert_webhook_url: SecretStr | None = None
    """Where alerts are sent as JSON by POST; https, or http to a loopback address. Secret: it often holds a key."""

    smtp_host: str | None = None
    """Mail server for alerts and for questions to contacts; absent: none is mailed."""

    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Port of the mail server: 587 with starttls, 465 with tls."""

    smtp_security: str = "starttls"
    """starttls, tls, or none: none for a loopback address only. Nothing is sent before the line is encrypted."""

    smtp_user: str | None = None
    """Login at the mail server; absent: none."""

    smtp_password: SecretStr | None = None
    """Password of that login."""

    smtp_from: str | None = None
    """Sender of the mails."""

    smtp_to: str | None = None
    """Who gets the alerts by mail; several addresses are separated by commas; absent: no alert is mailed."""

    report_recipients: str | None = None
    """Who may get reports by mail beside colleagues: addresses, or @company.example for all there, by commas."""

    public_url: str | None = None
    """Address of the desk as contacts outside reach it; absent: questions carry no link to answer by."""

    ask_link_hours: int = Field(default=72, ge=1, le=720)
    """Hours that such a link works: over a weekend."""

    ask_remind_minutes: int = Field(default=30, ge=1, le=10_000)
    """Minutes of a contact's opening hours without an answer until it is reminded."""

    ask_escalate_minutes: int = Field(default=60, ge=1, le=10_000)
    """Minutes of a contact's opening hours until the next in the chain is asked, where the chain says nothing."""

    promise_remind_minutes: int = Field(default=15, ge=1, le=1_440)
    """Minutes before it is due that the owner of a promise is reminded of it."""

    ami_host: str | None = None
    """Asterisk whose calls pop up at the agents; absent: no telephone."""

    ami_port: int = Field(default=5038, ge=1, le=65535)
    """Port of its manager interface: it speaks in the clear, so let it listen to this machine or a tunnel only."""

    ami_user: str | None = None
    """Manager user; it needs to read call, agent, user, system and to write call, agent, originate, reporting."""

    ami_secret: SecretStr | None = None
    """Its password."""

    ami_name: str = "pbx"
    """Name of this exchange among several."""

    ami_phone: str = "PJSIP/{member}"
    """Device of a telephone; {member} stands for the name that its queues know it by."""

    ami_outbound: str = "outbound"
    """Dialplan context that calls numbers outside."""

    ami_farewell: str | None = None
    """Dialplan context, extension s, with the notice that ends an abusive call; absent: it is ended without one."""

    ami_more: SecretStr | None = None
    """Further exchanges: a JSON list of objects with name, host, port, user, secret, phone, outbound, farewell."""

    call_files: str | None = None
    """Files of call records that workers read on and on: /path or NAME=/path for each PBX, by commas; absent: none."""

    metrics_token: SecretStr | None = None
    """Bearer token that GET /metrics asks for; absent: it answers loopback addresses only."""

    @field_validator("call_files")
    @classmethod
    def _whole_paths(cls, text: str | None) -> str | None:
        wrong = [part for part in _parts(text) if not _CALL_FILE.fullmatch(part)]
        if wrong:
            message = "write /path/queue_log, or NAME=/path/queue_log for each PBX, with commas between"
            raise ValueError(message)
        return text

    @property
    def followed_calls(self) -> tuple[tuple[str, Path], ...]:
        """Name of the PBX ("" where it has none) and file."""
        found = [match for part in _parts(self.call_files) if (match := _CALL_FILE.fullmatch(part))]
        return tuple(dict.fromkeys((match["pbx"] or "", Path(match["path"])) for match in found))

    @field_validator("alert_webhook_url")
    @classmethod
    def _safe_webhook(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            try:
                require_safe_url(url.get_secret_value())
            except ConfigurationError:
                # The reason would quote the address.
                message = "must be https, or http to a loopback address"
                raise ValueError(message) from None
        return url

    @field_validator("public_url")
    @classmethod
    def _safe_public_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            require_safe_url(url)
        except ConfigurationError:
            message = "must be https, or http to a loopback address"
            raise ValueError(message) from None
        if urlsplit(url).query or urlsplit(url).fragment:
            message = "must be an address without query and fragment"
            raise ValueError(message)
        return url.rstrip("/")

    @model_validator(mode="after")
    def _whole_mail(self) -> Self:
        if self.smtp_security not in {"starttls", "tls", "none"}:
            message = "HUB_SMTP_SECURITY is starttls, tls or none"
            raise ValueError(message)
        if self.smtp_host is not None and not self.smtp_from:
            message = "HUB_SMTP_HOST needs HUB_SMTP_FROM"
            raise ValueError(message)
        if self.smtp_host is not None and self.smtp_security == "none":
            try:
                require_safe_url(f"http://{self.smtp_host}")
            except ConfigurationError:
                message = "HUB_SMTP_SECURITY=none is for a loopback address only"
                raise ValueError(message) from None
        return self

    @property
    def smtp_recipients(self) -> tuple[str, ...]:
        return tuple(address.strip() for address in (self.smtp_to or "").split(",") if address.strip())

    @property
    def report_addresses(self) -> frozenset[str]:
        """Addresses, and domains with their "@"."""
        return frozenset(part.casefold() for part in _parts(self.report_recipients))

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"no time zone {name!r}"
            raise ValueError(message) from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def resolved_database_url(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.absolute() / 'hub.db'}"

    @property
    def resolved_jobs_url(self) -> str:
        if self.jobs_url is not None:
            return self.jobs_url.get_secret_value()
        if self.database_url is not None and self.database_url.get_secret_value().startswith("postgres"):
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.absolute() / 'jobs.db'}"


def read_settings() -> Settings:
    """Raises: ConfigurationError naming each wrong setting by its environment name."""
    try:
        return Settings()
    except ValidationError as error:
        # What is wrong between settings names them itself.
        wrong = "; ".join(
            f"HUB_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" if item["loc"] else item["msg"]
            for item in error.errors()
        )
        raise ConfigurationError(wrong, fix="Settings stand in the environment or in .env; see .env.example.") from None

"""Settings of the hub, all ``HUB_…`` in the environment or in ``.env``. They do not change while running."""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.core.errors import ConfigurationError


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

    secure_cookies: bool = False
    """Set when the desk is served over https: cookies then never travel without it."""

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
        wrong = "; ".join(
            f"HUB_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors()
        )
        raise ConfigurationError(wrong, fix="Settings stand in the environment or in .env; see .env.example.") from None

"""Settings: read once at the door from config.yaml and the environment, the environment wins."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from yaml import YAMLError  # type: ignore[import-untyped]

from pgadvisor.errors import ConfigInvalid
from pgadvisor.records.parameter import ParameterMode

__all__ = ["Settings", "duration", "load_settings"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def duration(value: object) -> timedelta:
    """A span of time written as PostgreSQL and Go users write it.

    >>> duration("90s") == duration("1m30s") == duration(90)
    True
    >>> duration("7d").days
    7
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return timedelta(seconds=float(text))
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d|w)", text)
    if not parts or re.sub(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d|w)\s*", "", text):
        raise ValueError(f"{value!r} is not a duration such as 10s, 5m, 12h or 7d")
    return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in parts))


Duration = Annotated[timedelta, BeforeValidator(duration), Field(gt=timedelta(0))]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda value: str(value).upper())
]


def default_data_dir(uid: int, home_data_dir: Path) -> Path:
    """Where the embedded store lives: the user's data folder, for root a system folder.

    PostgreSQL refuses to run as root, and another user cannot enter root's home.
    """
    return Path("/var/lib/pgadvisor") if uid == 0 else home_data_dir


class Settings(BaseSettings):
    """All settings. Names without the prefix ``PGADVISOR_`` are part of the contract."""

    model_config = SettingsConfigDict(
        env_prefix="PGADVISOR_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    """The store, a libpq URL; an embedded PostgreSQL when empty."""
    log_level: LogLevel = Field(default="INFO", validation_alias="LOG_LEVEL")
    """DEBUG, INFO, WARNING or ERROR."""
    data_dir: Path = Field(
        default_factory=lambda: default_data_dir(
            os.getuid(), platformdirs.user_data_path("pgadvisor")
        )
    )
    """Where the embedded store keeps its files."""
    host: str = "127.0.0.1"
    """The address that `serve` and `run` listen on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The port that `serve` and `run` listen on."""
    interval: Duration = timedelta(seconds=60)
    """How often counters are read from a target."""
    activity_interval: Duration = timedelta(seconds=10)
    """How often pg_stat_activity is sampled."""
    catalog_interval: Duration = timedelta(minutes=10)
    """How often catalog, statistics and settings are read."""
    statement_timeout: Duration = timedelta(seconds=30)
    """Upper limit of any statement of ours on a target."""
    lock_timeout: Duration = timedelta(seconds=1)
    """How long a statement of ours waits for a lock on a target."""
    max_connections: int = Field(default=3, ge=2, le=20)
    """The most connections of ours that one target has at any moment, of all workers together."""
    max_workers: int = Field(default=4, ge=1, le=64, validation_alias="MAX_WORKERS")
    """Analyses that one worker process runs at once; collecting is not limited by it."""
    parameters: ParameterMode = ParameterMode.HASH
    """What is kept of values in statements, plans and parameters: keep, hash or drop."""
    ingest_limit: int = Field(default=256 * 1024 * 1024, ge=1024, le=2**40)
    """The most bytes of one log sent to the API, as sent and unpacked."""
    raw_retention: Duration = timedelta(days=7)
    """How long deltas are kept; hourly roll-ups stay."""
    hourly_retention: Duration = timedelta(days=400)
    """How long hourly roll-ups are kept."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Given values win over the environment, the environment over config.yaml."""
        return init_settings, env_settings, _file_source(settings_cls)


def _file_source(settings_cls: type[BaseSettings]) -> YamlConfigSettingsSource:
    named = os.environ.get("PGADVISOR_CONFIG")
    path = Path(named or "config.yaml")
    if named and not path.is_file():
        raise ConfigInvalid(
            f"PGADVISOR_CONFIG names {path}, and there is no such file",
            hint="Correct the path, or unset PGADVISOR_CONFIG to use config.yaml of the folder.",
        )
    try:
        return YamlConfigSettingsSource(settings_cls, yaml_file=path)
    except (YAMLError, TypeError, ValueError, OSError) as exc:
        raise ConfigInvalid(
            f"cannot read {path} as settings: {' '.join(str(exc).split())}",
            hint="It is YAML with one setting a line, such as `port: 8080`; docs/settings.md "
            "lists them.",
        ) from exc


def load_settings(**given: Any) -> Settings:
    """Settings from the given values, the environment and config.yaml.

    Raises `ConfigInvalid` naming the setting and the value that cannot be used.
    """
    values: Mapping[str, Any] = {k: v for k, v in given.items() if v is not None}
    try:
        return Settings(**values)
    except ValidationError as exc:
        first = exc.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(
            f"setting {name} cannot be {first.get('input')!r}: {first['msg']}",
            hint="docs/settings.md lists every setting with its default and an example.",
        ) from exc

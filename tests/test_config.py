"""Settings: the environment wins over config.yaml, and a bad value is named."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.config import Settings, default_data_dir, duration, load_settings
from pgadvisor.errors import ConfigInvalid


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(f"PGADVISOR_{name.upper()}", raising=False)
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.delenv("PGADVISOR_CONFIG", raising=False)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("10s", timedelta(seconds=10)),
        ("1.5h", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("5min", timedelta(minutes=5)),
        ("2w", timedelta(days=14)),
        (" 7D ", timedelta(days=7)),
        (90, timedelta(seconds=90)),
        (0.5, timedelta(seconds=0.5)),
        (timedelta(days=1), timedelta(days=1)),
    ],
)
def test_a_duration_is_read(text: object, span: timedelta) -> None:
    assert duration(text) == span


@pytest.mark.parametrize("text", ["", "soon", "10x", "-5s", "5s!", "s", "1e3s", None, "1 h and 2m"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "min", "h", "d", "w"]))
def test_a_number_with_a_unit_is_that_many_of_it(number: int, unit: str) -> None:
    assert duration(f"{number}{unit}") == number * duration(f"1{unit}")


def test_defaults_hold_without_anything() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.interval == timedelta(seconds=60)
    assert settings.host == "127.0.0.1"


def test_given_wins_over_environment_over_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(
        "port: 1\nhost: file\ninterval: 5m\nDATABASE_URL: postgresql://file/x\n"
    )
    assert load_settings().database_url == "postgresql://file/x"
    monkeypatch.setenv("PGADVISOR_PORT", "2")
    monkeypatch.setenv("PGADVISOR_HOST", "environment")
    monkeypatch.setenv("DATABASE_URL", "postgresql://environment/x")
    settings = load_settings(port=3, host=None)
    assert (settings.port, settings.host) == (3, "environment")
    assert settings.interval == timedelta(minutes=5)
    assert settings.database_url == "postgresql://environment/x"


def test_an_empty_url_means_the_embedded_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("PGADVISOR_PORT", "")
    settings = load_settings()
    assert settings.database_url is None
    assert settings.port == 8080


@pytest.mark.parametrize(
    ("given_values", "complaint"),
    [
        ({"port": 70000}, "setting port cannot be 70000"),
        ({"port": "http"}, "setting port cannot be 'http'"),
        ({"interval": "soon"}, "setting interval cannot be 'soon': .*not a duration"),
        ({"interval": "0s"}, "setting interval cannot be '0s'"),
        ({"log_level": "CHATTY"}, "setting log_level cannot be 'CHATTY'"),
    ],
)
def test_a_bad_value_is_named(given_values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigInvalid, match=complaint) as caught:
        load_settings(**given_values)
    assert "docs/settings.md" in caught.value.hint


def test_a_bad_value_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGADVISOR_INTERVAL", "often")
    with pytest.raises(ConfigInvalid, match="interval cannot be 'often'"):
        load_settings()


def test_the_log_level_is_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert load_settings().log_level == "DEBUG"


@pytest.mark.parametrize("text", ["port: [1\n", "- 1\n- 2\n", "just text"])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigInvalid, match=r"config\.yaml"):
        load_settings()


def test_the_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGADVISOR_CONFIG", str(tmp_path / "other.yaml"))
    (tmp_path / "other.yaml").write_text("port: 99\n")
    assert load_settings().port == 99


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# nothing yet\n")
    assert load_settings().port == 8080


def test_root_keeps_the_store_outside_of_its_home() -> None:
    home = Path("/home/me/.local/share/pgadvisor")
    assert default_data_dir(0, home) == Path("/var/lib/pgadvisor")
    assert default_data_dir(1000, home) == home


def test_a_named_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGADVISOR_CONFIG", "elsewhere.yaml")
    with pytest.raises(ConfigInvalid, match=r"elsewhere\.yaml"):
        load_settings()

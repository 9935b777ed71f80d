"""Which log is read, and what to do when none can be."""

import grp
import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgadvisor.collect.logs import log_source, read_log
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogFormat, LogSource

SETTINGS = {
    "logging_collector": "on",
    "log_destination": "stderr,csvlog,jsonlog",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_line_prefix": "%m [%p] %u@%d %Q ",
    "log_timezone": "Europe/Berlin",
    "server_version_num": "150004",
}


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user without rights, where the tests run as root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.fixture
def data_directory() -> Iterator[Path]:
    """A data directory with a log, below directories that anybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "log").mkdir()
        (path / "log").chmod(0o755)
        for suffix in ("json", "csv", "log"):
            (path / "log" / f"postgresql-Sun.{suffix}").touch(0o600)
        yield path
        path.chmod(0o755)


CURRENT = {
    "jsonlog": "log/postgresql-Sun.json",
    "csvlog": "log/postgresql-Sun.csv",
    "stderr": "log/postgresql-Sun.log",
}


@pytest.mark.parametrize(
    ("destination", "format_"),
    [
        ("stderr,csvlog,jsonlog", LogFormat.JSONLOG),
        ("stderr, csvlog", LogFormat.CSVLOG),
        ("stderr,syslog", LogFormat.STDERR),
    ],
)
def test_best_format_is_taken(data_directory: Path, destination: str, format_: LogFormat) -> None:
    settings = {**SETTINGS, "log_destination": destination}
    assert log_source(settings, str(data_directory), CURRENT) == LogSource(
        path=str(data_directory / "log"),
        format=format_,
        filename="postgresql-%a.log",
        line_prefix="%m [%p] %u@%d %Q ",
        timezone="Europe/Berlin",
    )


def test_notes_say_what_the_log_cannot_tell(data_directory: Path) -> None:
    settings = {
        **SETTINGS,
        "log_destination": "stderr",
        "log_line_prefix": "[%p] ",
        "auto_explain.log_format": "xml",
    }
    notes = " ".join(log_source(settings, str(data_directory), CURRENT).notes)
    assert all(word in notes for word in ("log_format is xml", "%m", "%d", "%Q"))


def test_log_that_goes_to_no_file(data_directory: Path) -> None:
    for version, best in (("130010", "csvlog"), ("170000", "jsonlog")):
        settings = {**SETTINGS, "log_destination": "syslog", "server_version_num": version}
        with pytest.raises(LogUnreadable, match="logs to no file") as caught:
            log_source(settings, str(data_directory), CURRENT)
        assert f"ALTER SYSTEM SET log_destination = '{best}'" in caught.value.hint


def test_log_of_another_machine(data_directory: Path) -> None:
    with pytest.raises(LogUnreadable, match="does not exist on this machine"):
        log_source(SETTINGS, str(data_directory / "elsewhere"), CURRENT)
    # the same path, but another server's
    with pytest.raises(LogUnreadable, match=r"Mon\.json does not exist on this machine"):
        log_source(SETTINGS, str(data_directory), {"jsonlog": "log/postgresql-Mon.json"})


def test_hidden_data_directory(data_directory: Path) -> None:
    with pytest.raises(LogUnreadable, match="data directory") as caught:
        log_source(SETTINGS, None, {})
    assert "GRANT pg_monitor" in caught.value.hint
    settings = {**SETTINGS, "log_directory": str(data_directory / "log")}
    assert log_source(settings, None, CURRENT).format is LogFormat.JSONLOG


def test_debians_log_without_the_collector(tmp_path: Path) -> None:
    settings = {**SETTINGS, "logging_collector": "off", "cluster_name": "15/main"}
    with pytest.raises(LogUnreadable, match="logging_collector is off") as caught:
        log_source(settings, None, {}, debian_log_dir=tmp_path)
    assert "logging_collector = on" in caught.value.hint
    path = tmp_path / "postgresql-15-main.log"
    path.touch()
    source = log_source(settings, None, {}, debian_log_dir=tmp_path)
    assert (source.path, source.format) == (str(path), LogFormat.STDERR)
    with pytest.raises(LogUnreadable, match="logging_collector is off"):
        log_source({**settings, "cluster_name": "../x"}, None, {}, debian_log_dir=tmp_path)


def test_closed_file_names_the_command(data_directory: Path) -> None:
    path = data_directory / "log" / "postgresql-Sun.json"
    path.write_text("x")
    path.chmod(0o000)
    source = LogSource(path=str(path.parent), format=LogFormat.JSONLOG)
    with as_nobody(), pytest.raises(LogUnreadable, match=r"Sun\.json cannot be read by") as caught:
        read_log(source)
    assert "sudo setfacl -R -m u:" in caught.value.hint
    assert caught.value.hint.endswith(f":rX {data_directory / 'log'}")


def test_closed_data_directory_names_the_command(data_directory: Path) -> None:
    data_directory.chmod(0o000)
    log = data_directory / "log"
    with as_nobody():
        with pytest.raises(LogUnreadable, match=f"^{log} cannot be read by user") as caught:
            log_source(SETTINGS, str(data_directory), CURRENT)
        with pytest.raises(LogUnreadable, match=f"^{log} cannot be read by user"):
            read_log(LogSource(path=str(log), format=LogFormat.JSONLOG))
    assert f":x {data_directory} && sudo setfacl -R -m u:" in caught.value.hint
    assert caught.value.hint.endswith(f":rX {log}")


def test_closed_file_of_a_group_names_the_group(data_directory: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a file to a group it is not in")
    path = data_directory / "postgresql-15-main.log"
    path.touch()
    os.chown(path, 0, 4)  # Debian's adm
    path.chmod(0o640)
    settings = {**SETTINGS, "logging_collector": "off", "cluster_name": "15/main"}
    with as_nobody(), pytest.raises(LogUnreadable) as caught:
        log_source(settings, None, {}, debian_log_dir=data_directory)
    group, user = grp.getgrgid(4).gr_name, pwd.getpwuid(65534).pw_name
    assert caught.value.hint == f"Run: sudo usermod -aG {group} {user} (then log in again)"

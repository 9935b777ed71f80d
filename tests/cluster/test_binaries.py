"""PostgreSQL's programs are found, and it is clear what to do where they are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgadvisor.cluster import Binaries, embedded_binaries, find_binaries, installed_binaries
from pgadvisor.errors import ClusterFailed


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    """What was found is kept for the process; these tests change the machine."""
    installed_binaries.cache_clear()
    yield
    installed_binaries.cache_clear()


def test_both_versions_of_the_wheel_are_found() -> None:
    assert embedded_binaries(16).major == 16
    assert embedded_binaries().major == embedded_binaries(18).major == 18


def test_a_version_that_the_wheel_lacks_is_told() -> None:
    with pytest.raises(ClusterFailed, match="no PostgreSQL 9") as caught:
        embedded_binaries(9)
    assert "DATABASE_URL" in caught.value.hint


def test_the_named_folder_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGADVISOR_PG_BIN", str(embedded_binaries(16).bin_dir))
    assert find_binaries(contrib=False).major == 16
    with pytest.raises(ClusterFailed, match="no PostgreSQL with contrib"):
        find_binaries()


@pytest.mark.parametrize("content", [None, "#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n"])
def test_a_named_folder_without_programs_that_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    _program(tmp_path, content)
    monkeypatch.setenv("PGADVISOR_PG_BIN", str(tmp_path))
    with pytest.raises(ClusterFailed) as caught:
        find_binaries()
    assert "PGADVISOR_PG_BIN" in caught.value.hint


def test_a_broken_installation_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = embedded_binaries()
    _program(tmp_path / "bin", "#!/bin/sh\nexit 3\n")
    monkeypatch.setattr(
        "pgadvisor.cluster.binaries._PLACES", (str(tmp_path / "bin"), str(working.bin_dir))
    )
    assert installed_binaries() == (working,)


def test_extensions_beside_the_programs_are_known() -> None:
    assert Binaries.at(embedded_binaries().bin_dir).extensions >= {"plpgsql"}
    assert not embedded_binaries().has_contrib


@pytest.mark.parametrize("share", ["share/postgresql", "share"])
def test_without_pg_config_the_extensions_are_beside_the_programs(
    tmp_path: Path, share: str
) -> None:
    _program(tmp_path / "bin", "#!/bin/sh\necho 'postgres (PostgreSQL) 17.1'\n")
    (tmp_path / "bin" / "pg_config").unlink()
    (tmp_path / share / "extension").mkdir(parents=True)
    (tmp_path / share / "extension" / "pg_stat_statements.control").touch()

    found = Binaries.at(tmp_path / "bin")

    assert found.major == 17
    assert found.has_contrib


def _program(folder: Path, content: str | None) -> None:
    if content is not None:
        folder.mkdir(exist_ok=True)
        for name in ("postgres", "pg_config"):
            (folder / name).write_text(content)
            (folder / name).chmod(0o755)

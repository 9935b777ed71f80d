from typing import Any

import psycopg

from pgadvisor.cluster import Cluster
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target, connect


def test_settings_are_those_of_the_server_not_ours(
    target_conn: psycopg.Connection[Any], target: Target
) -> None:
    target_conn.execute("set work_mem = '8MB'")  # of another session

    settings = {setting.name: setting for setting in fetch_settings(target)}

    assert settings["statement_timeout"].setting == "0"
    assert settings["default_transaction_read_only"].setting == "off"
    assert settings["pg_stat_statements.track"].setting == "all"
    work_mem = settings["work_mem"]
    assert (work_mem.setting, work_mem.unit, work_mem.source) == ("4096", "kB", "default")
    assert not work_mem.pending_restart


def test_settings_of_newer_servers(newer_cluster: Cluster) -> None:
    with connect(newer_cluster.dsn()) as target:
        assert len(fetch_settings(target)) > 300

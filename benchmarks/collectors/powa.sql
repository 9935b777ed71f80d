-- One row per entry, as PoWA reads a server from afar, for pg_stat_statements 1.10. Equivalent to
-- what powa_statements_src(0) runs (powa-team/powa-archivist, powa--5.2.0.sql), which powa-collector
-- sends as COPY (SELECT <srvid>, * FROM powa_statements_src(0)) TO stdout
-- (powa-team/powa-collector, powa_collector/snapshot.py, 2026-02). The function around it, which
-- stores all rows once more, is left out here, in favour of PoWA.
SELECT
    0 AS srvid,
    now() AS ts,
    s.userid,
    s.dbid,
    s.toplevel,
    s.queryid,
    s.query,
    s.calls,
    s.total_exec_time,
    s.rows,
    s.shared_blks_hit,
    s.shared_blks_read,
    s.shared_blks_dirtied,
    s.shared_blks_written,
    s.local_blks_hit,
    s.local_blks_read,
    s.local_blks_dirtied,
    s.local_blks_written,
    s.temp_blks_read,
    s.temp_blks_written,
    s.blk_read_time AS shared_blk_read_time,
    s.blk_write_time AS shared_blk_write_time,
    0::float8 AS local_blk_read_time,
    0::float8 AS local_blk_write_time,
    0::float8 AS temp_blk_read_time,
    0::float8 AS temp_blk_write_time,
    s.plans,
    s.total_plan_time,
    s.wal_records,
    s.wal_fpi,
    s.wal_bytes,
    s.jit_functions,
    s.jit_generation_time,
    s.jit_inlining_count,
    s.jit_inlining_time,
    s.jit_optimization_count,
    s.jit_optimization_time,
    s.jit_emission_count,
    s.jit_emission_time,
    0::bigint AS jit_deform_count,
    0::float8 AS jit_deform_time
FROM pg_stat_statements AS s
JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
WHERE s.query !~* '^[[:space:]]*(DEALLOCATE|BEGIN|PREPARE TRANSACTION|COMMIT PREPARED|ROLLBACK PREPARED)'
    AND NOT (r.rolname = ANY (string_to_array('', ',')))

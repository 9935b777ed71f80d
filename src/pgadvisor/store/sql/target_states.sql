-- one row: a target, when it was last read and what the last reading held
select t.target_id, t.target, t.kind, t.role, t.primary_target, t.system_identifier,
       t.server_version_num, t.first_seen_at, t.last_seen_at, t.paused_at, t.circuit, t.failures,
       t.retry_at, t.last_error, t.last_error_at, t.clock_skew_ms, t.log_problem,
       t.interval_seconds, t.last_snapshot_at, coalesce(t.statements, 0) as statements,
       coalesce(t.hidden_statements, 0) as hidden,
       coalesce(t.hidden_exec_time_ms, 0) as hidden_exec_time,
       coalesce((select sum(c.total_exec_time) from statement_counters c
                 where c.target_id = t.target_id), 0)::float8 as visible_exec_time,
       (select count(*) from snapshots c where c.target_id = t.target_id) as snapshots
from pgadvisor.targets t
where t.removed_at is null
order by t.target

-- one row: a target that is not removed, with what may be wrong with reading it
select t.target_id, t.target, t.kind, t.server_version_num, t.extension_version, t.first_seen_at,
       t.last_snapshot_at, t.paused_at, t.circuit, t.failures, t.retry_at, t.last_error,
       t.last_error_at, t.clock_skew_ms, t.log_problem, t.interval_seconds,
       coalesce(t.statements, 0) as statements, coalesce(t.hidden_statements, 0) as hidden,
       coalesce(t.hidden_exec_time_ms, 0) as hidden_exec_time,
       coalesce((select sum(c.total_exec_time) from statement_counters c
                 where c.target_id = t.target_id), 0)::float8 as visible_exec_time,
       o.conninfo
from pgadvisor.targets t
join targets o on o.id = t.target_id
where t.removed_at is null and (%(target)s::text is null or t.target = %(target)s)
order by t.target

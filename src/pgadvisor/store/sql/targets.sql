-- one row: a target, how it is watched, how that goes, and its primary where it is a replica
select t.id, t.name, t.conninfo, t.kind, t.system_identifier, t.server_version_num, t.in_recovery,
       t.first_seen_at, t.last_seen_at, t.last_error, t.last_error_at, t.paused_at, t.removed_at,
       t.interval_seconds, t.activity_interval_seconds, t.catalog_interval_seconds,
       t.databases, t.excluded_databases, t.failures, t.retry_at,
       extract(epoch from t.retry_at - now())::float8 as retry_in_seconds,
       t.watcher, t.clock_skew_ms, t.replay_lag_ms, t.log_problem,
       case when t.in_recovery then (
           select p.name from targets p
           where p.system_identifier = t.system_identifier and not p.in_recovery
               and p.removed_at is null and p.id <> t.id
           order by p.last_error is not null, p.id
           limit 1
       ) end as primary_name
from targets t
where %(target_id)s::integer is null or t.id = %(target_id)s
order by t.name

-- Views that stay as they are while the tables below them change: what the doors, Grafana and
-- anybody's own SQL read. They stand in a schema of their own, so that one GRANT opens all of them.
-- Plain SQL of PostgreSQL 15; may be run again after `drop schema pgadvisor cascade`.

-- The schema has the name that many give the role: "$user" would find the views before the tables.
select set_config('search_path',
                  (select string_agg(quote_ident(name), ', ' order by place)
                   from unnest(current_schemas(false)) with ordinality as s (name, place)
                   where name <> 'pgadvisor'), true);

create index if not exists snapshots_captured_at_idx on snapshots (target_id, captured_at);
create index if not exists statements_queryid_idx on statements (target_id, queryid);

create schema if not exists pgadvisor;
comment on schema pgadvisor is
    'Views of the history: stable between releases, described in docs/views.md. Columns are only added.';

create or replace view pgadvisor.targets as
select t.id as target_id, t.name as target, t.kind, t.system_identifier,
       case when t.in_recovery then 'replica' when not t.in_recovery then 'primary' end as role,
       case when t.in_recovery then
           (select min(p.name) from targets p
            where p.system_identifier = t.system_identifier and not p.in_recovery
              and p.removed_at is null) end as primary_target,
       t.server_version_num,
       t.server_version_num / 10000 || '.' || t.server_version_num % 10000 as server_version,
       s.extension_version, t.first_seen_at, t.last_seen_at,
       s.captured_at as last_snapshot_at,
       extract(epoch from now() - s.captured_at)::double precision as lag_seconds,
       t.replay_lag_ms, t.interval_seconds, t.paused_at, t.removed_at,
       case when t.retry_at > now() then 'open' when t.retry_at is not null then 'half-open'
            else 'closed' end as circuit,
       t.failures, t.retry_at, t.last_error, t.last_error_at, t.clock_skew_ms, t.log_problem,
       s.statements, s.hidden as hidden_statements,
       s.hidden_exec_time as hidden_exec_time_ms
from targets t
left join lateral (
    select captured_at, extension_version, statements, hidden, hidden_exec_time
    from snapshots where target_id = t.id order by id desc limit 1
) s on true;
comment on view pgadvisor.targets is
    'One row is one watched server, or one source of history without a server.';
comment on column pgadvisor.targets.target is 'Its name.';
comment on column pgadvisor.targets.kind is
    'server: collected from; log: only its log was read; import: only history was imported.';
comment on column pgadvisor.targets.system_identifier is
    'Of the cluster: a primary and its replicas share one. It changes with a major upgrade.';
comment on column pgadvisor.targets.role is 'primary or replica; null while not known.';
comment on column pgadvisor.targets.primary_target is 'The watched primary of a replica.';
comment on column pgadvisor.targets.extension_version is 'Of pg_stat_statements at the last reading.';
comment on column pgadvisor.targets.last_seen_at is 'When it answered last.';
comment on column pgadvisor.targets.last_snapshot_at is 'When its counters were read last, by its own clock.';
comment on column pgadvisor.targets.lag_seconds is 'Time since its counters were read last.';
comment on column pgadvisor.targets.replay_lag_ms is
    'How far a replica is behind its primary in replaying; null on a primary.';
comment on column pgadvisor.targets.interval_seconds is
    'How often it is read, where that differs from PGADVISOR_INTERVAL.';
comment on column pgadvisor.targets.paused_at is 'Since when nothing is collected from it.';
comment on column pgadvisor.targets.removed_at is 'Since when it is no longer watched.';
comment on column pgadvisor.targets.circuit is
    'closed: it is read; open: it failed and is left alone until retry_at; half-open: the next try decides.';
comment on column pgadvisor.targets.failures is 'Failures in a row.';
comment on column pgadvisor.targets.last_error is 'Why the last attempt failed; null after a success.';
comment on column pgadvisor.targets.clock_skew_ms is 'Its clock minus ours at the last reading.';
comment on column pgadvisor.targets.log_problem is 'Why its log cannot be read; null when it can.';
comment on column pgadvisor.targets.statements is 'Entries of pg_stat_statements in the last snapshot.';
comment on column pgadvisor.targets.hidden_statements is 'Of the entries, those hidden from our role.';
comment on column pgadvisor.targets.hidden_exec_time_ms is
    'Time of the hidden entries since the counters were reset.';

create or replace view pgadvisor.databases as
select d.target_id, t.name as target, t.system_identifier, d.dbid, d.datname as database_name,
       d.last_seen_at = max(d.last_seen_at) over (partition by d.target_id, d.datname)
           as is_current,
       d.last_seen_at, d.catalog_read_at, d.problem
from databases d
join targets t on t.id = d.target_id;
comment on view pgadvisor.databases is
    'One row is one database of a target. One that was dropped and made again has a row for each.';
comment on column pgadvisor.databases.dbid is
    'pg_database.oid; negative where the history did not come from a server.';
comment on column pgadvisor.databases.is_current is
    'False for the earlier ones of the same name.';
comment on column pgadvisor.databases.last_seen_at is 'When the server listed it last.';
comment on column pgadvisor.databases.catalog_read_at is 'When its tables and indexes were read last.';
comment on column pgadvisor.databases.problem is 'Why it cannot be read; null when it can.';

create or replace view pgadvisor.queries as
select g.target_id, t.name as target, t.system_identifier, g.database_name, g.query_hash,
       g.fingerprint, g.queryids, g.query, g.kind,
       g.kind not in ('select', 'values', 'insert', 'update', 'delete', 'merge') as is_utility,
       g.tables, g.unreadable, g.first_seen_at,
       (select max(l.hour)
        from statements s
        cross join lateral (
            select max(h.hour) as hour from statement_hours h
            where h.target_id = s.target_id and h.statement_id = s.id) l
        where s.target_id = g.target_id and s.queryid = any (g.queryids)
          and s.dbid = any (g.dbids)) as last_hour
from (
    select n.target_id, n.database_name, n.query_hash, max(n.fingerprint) as fingerprint,
           array_agg(distinct n.queryid) as queryids, array_agg(distinct n.dbid) as dbids,
           max(n.query) filter (where n.place = 1) as query,
           max(n.kind) filter (where n.place = 1) as kind,
           max(n.tables) filter (where n.place = 1) as tables,
           max(n.unreadable) filter (where n.place = 1) as unreadable,
           min(n.first_seen_at) as first_seen_at
    from (
        select q.target_id, d.datname as database_name, q.dbid, q.queryid, q.fingerprint, q.query,
               q.kind, q.tables, q.unreadable, q.first_seen_at,
               coalesce(q.fingerprint, q.queryid::text) as query_hash,
               row_number() over (
                   partition by q.target_id, d.datname, coalesce(q.fingerprint, q.queryid::text)
                   order by q.query is null, q.first_seen_at desc, q.queryid) as place
        from queries q
        join databases d on d.target_id = q.target_id and d.dbid = q.dbid
        where not q.is_own
    ) n
    group by n.target_id, n.database_name, n.query_hash
) g
join targets t on t.id = g.target_id;
comment on view pgadvisor.queries is
    'One row is one query of a database: every queryid with the same fingerprint, so one row for '
    'IN lists of any length, before and after a dump and restore or an upgrade.';
comment on column pgadvisor.queries.query_hash is
    'The fingerprint, or the queryid of a text that has none: what the pages and the API take.';
comment on column pgadvisor.queries.fingerprint is
    'libpg_query''s, 16 hex digits: the same for every constant, on every server and version.';
comment on column pgadvisor.queries.queryids is 'All it was ever seen with.';
comment on column pgadvisor.queries.query is 'The newest text, normalized; null while hidden.';
comment on column pgadvisor.queries.kind is
    'select, insert, update, delete, merge, values, copy, call, setting, utility, ...; null: not parsable.';
comment on column pgadvisor.queries.is_utility is
    'Not planned by itself: DDL, SET, COPY, CALL, cursors; null: not parsable.';
comment on column pgadvisor.queries.tables is
    'Tables of the newest text, as written: schema-qualified where it is.';
comment on column pgadvisor.queries.unreadable is
    'Why the text cannot be used: hidden, truncated, not parsable.';
comment on column pgadvisor.queries.last_hour is
    'Begin of the last hour in which it ran; null: not in the hours that are kept.';

create or replace view pgadvisor.query_intervals as
select d.target_id, t.name as target, b.datname as database_name, q.fingerprint, s.queryid,
       r.rolname as username, s.toplevel, d.since, d.until,
       extract(epoch from d.until - d.since)::double precision as seconds,
       coalesce(d.calls, 0) as calls, coalesce(d.rows, 0) as rows,
       coalesce(d.total_exec_time, 0) as total_exec_time, coalesce(d.plans, 0) as plans,
       coalesce(d.total_plan_time, 0) as total_plan_time,
       coalesce(d.shared_blks_hit, 0) as shared_blks_hit,
       coalesce(d.shared_blks_read, 0) as shared_blks_read,
       coalesce(d.shared_blks_dirtied, 0) as shared_blks_dirtied,
       coalesce(d.shared_blks_written, 0) as shared_blks_written,
       coalesce(d.local_blks_hit, 0) as local_blks_hit,
       coalesce(d.local_blks_read, 0) as local_blks_read,
       coalesce(d.local_blks_dirtied, 0) as local_blks_dirtied,
       coalesce(d.local_blks_written, 0) as local_blks_written,
       coalesce(d.temp_blks_read, 0) as temp_blks_read,
       coalesce(d.temp_blks_written, 0) as temp_blks_written,
       coalesce(d.shared_blk_read_time, 0) as shared_blk_read_time,
       coalesce(d.shared_blk_write_time, 0) as shared_blk_write_time,
       coalesce(d.local_blk_read_time, 0) as local_blk_read_time,
       coalesce(d.local_blk_write_time, 0) as local_blk_write_time,
       coalesce(d.temp_blk_read_time, 0) as temp_blk_read_time,
       coalesce(d.temp_blk_write_time, 0) as temp_blk_write_time,
       coalesce(d.wal_records, 0) as wal_records, coalesce(d.wal_fpi, 0) as wal_fpi,
       coalesce(d.wal_bytes, 0) as wal_bytes, coalesce(d.jit_functions, 0) as jit_functions,
       coalesce(d.jit_generation_time, 0) as jit_generation_time,
       coalesce(d.jit_inlining_time, 0) as jit_inlining_time,
       coalesce(d.jit_optimization_time, 0) as jit_optimization_time,
       coalesce(d.jit_emission_time, 0) as jit_emission_time,
       coalesce(d.parallel_workers_to_launch, 0) as parallel_workers_to_launch,
       coalesce(d.parallel_workers_launched, 0) as parallel_workers_launched,
       coalesce(d.total_exec_time / nullif(d.calls, 0), 0) as mean_exec_time,
       coalesce(sqrt(greatest(d.sum_squared_exec_time / nullif(d.calls, 0)
                              - (d.total_exec_time / nullif(d.calls, 0)) ^ 2, 0)), 0) as stddev_exec_time
from statement_deltas d
join statements s on s.id = d.statement_id
join targets t on t.id = d.target_id
join databases b on b.target_id = s.target_id and b.dbid = s.dbid
left join roles r on r.target_id = s.target_id and r.userid = s.userid
left join queries q on q.target_id = s.target_id and q.dbid = s.dbid and q.queryid = s.queryid
where q.is_own is not true;
comment on view pgadvisor.query_intervals is
    'One row is what one entry of pg_stat_statements (query, role, level) did between two readings; '
    'none where it did nothing. Kept for PGADVISOR_RAW_RETENTION.';
comment on column pgadvisor.query_intervals.toplevel is
    'False inside a function: its time is also in that of its caller.';
comment on column pgadvisor.query_intervals.until is 'It did it in [since, until).';

create or replace view pgadvisor.query_hours as
select g.target_id, t.name as target, g.database_name, g.fingerprint, g.queryid, g.kind,
       g.toplevel, g.hour,
       g.calls, g.rows, g.total_exec_time, g.plans, g.total_plan_time, g.shared_blks_hit,
       g.shared_blks_read, g.shared_blks_dirtied, g.shared_blks_written, g.local_blks_hit,
       g.local_blks_read, g.local_blks_dirtied, g.local_blks_written, g.temp_blks_read,
       g.temp_blks_written, g.shared_blk_read_time, g.shared_blk_write_time, g.local_blk_read_time,
       g.local_blk_write_time, g.temp_blk_read_time, g.temp_blk_write_time, g.wal_records,
       g.wal_fpi, g.wal_bytes, g.jit_functions, g.jit_generation_time, g.jit_inlining_time,
       g.jit_optimization_time, g.jit_emission_time, g.parallel_workers_to_launch,
       g.parallel_workers_launched,
       coalesce(g.total_exec_time / nullif(g.calls, 0), 0) as mean_exec_time,
       coalesce(sqrt(greatest(g.sum_squared_exec_time / nullif(g.calls, 0)
                              - (g.total_exec_time / nullif(g.calls, 0)) ^ 2, 0)), 0) as stddev_exec_time,
       coalesce(g.total_exec_time / nullif(whole.total_exec_time, 0), 0) as share_ratio
from (
    select h.target_id, b.datname as database_name, q.fingerprint, s.queryid, q.kind, h.hour,
           bool_or(s.toplevel) as toplevel,
           coalesce(sum(h.sum_squared_exec_time), 0)::double precision as sum_squared_exec_time,
           coalesce(sum(h.calls), 0)::bigint as calls, coalesce(sum(h.rows), 0)::bigint as rows,
           coalesce(sum(h.total_exec_time), 0)::double precision as total_exec_time,
           coalesce(sum(h.plans), 0)::bigint as plans,
           coalesce(sum(h.total_plan_time), 0)::double precision as total_plan_time,
           coalesce(sum(h.shared_blks_hit), 0)::bigint as shared_blks_hit,
           coalesce(sum(h.shared_blks_read), 0)::bigint as shared_blks_read,
           coalesce(sum(h.shared_blks_dirtied), 0)::bigint as shared_blks_dirtied,
           coalesce(sum(h.shared_blks_written), 0)::bigint as shared_blks_written,
           coalesce(sum(h.local_blks_hit), 0)::bigint as local_blks_hit,
           coalesce(sum(h.local_blks_read), 0)::bigint as local_blks_read,
           coalesce(sum(h.local_blks_dirtied), 0)::bigint as local_blks_dirtied,
           coalesce(sum(h.local_blks_written), 0)::bigint as local_blks_written,
           coalesce(sum(h.temp_blks_read), 0)::bigint as temp_blks_read,
           coalesce(sum(h.temp_blks_written), 0)::bigint as temp_blks_written,
           coalesce(sum(h.shared_blk_read_time), 0)::double precision as shared_blk_read_time,
           coalesce(sum(h.shared_blk_write_time), 0)::double precision as shared_blk_write_time,
           coalesce(sum(h.local_blk_read_time), 0)::double precision as local_blk_read_time,
           coalesce(sum(h.local_blk_write_time), 0)::double precision as local_blk_write_time,
           coalesce(sum(h.temp_blk_read_time), 0)::double precision as temp_blk_read_time,
           coalesce(sum(h.temp_blk_write_time), 0)::double precision as temp_blk_write_time,
           coalesce(sum(h.wal_records), 0)::bigint as wal_records,
           coalesce(sum(h.wal_fpi), 0)::bigint as wal_fpi,
           coalesce(sum(h.wal_bytes), 0)::bigint as wal_bytes,
           coalesce(sum(h.jit_functions), 0)::bigint as jit_functions,
           coalesce(sum(h.jit_generation_time), 0)::double precision as jit_generation_time,
           coalesce(sum(h.jit_inlining_time), 0)::double precision as jit_inlining_time,
           coalesce(sum(h.jit_optimization_time), 0)::double precision as jit_optimization_time,
           coalesce(sum(h.jit_emission_time), 0)::double precision as jit_emission_time,
           coalesce(sum(h.parallel_workers_to_launch), 0)::bigint as parallel_workers_to_launch,
           coalesce(sum(h.parallel_workers_launched), 0)::bigint as parallel_workers_launched
    from statement_hours h
    join statements s on s.id = h.statement_id
    join databases b on b.target_id = s.target_id and b.dbid = s.dbid
    left join queries q on q.target_id = s.target_id and q.dbid = s.dbid and q.queryid = s.queryid
    where q.is_own is not true
    group by h.target_id, b.datname, q.fingerprint, s.queryid, q.kind, h.hour
) g
join targets t on t.id = g.target_id
left join lateral (
    select sum(h.total_exec_time) as total_exec_time
    from statement_hours h
    join statements s on s.id = h.statement_id
    join databases b on b.target_id = s.target_id and b.dbid = s.dbid
    where h.target_id = g.target_id and h.hour = g.hour and b.datname = g.database_name
      and s.toplevel
) whole on true;
comment on view pgadvisor.query_hours is
    'One row is what one queryid did in one hour (UTC), all roles and levels added up; none where it '
    'did nothing. Add the rows of a fingerprint up for the whole query.';
comment on column pgadvisor.query_hours.fingerprint is 'Joins the queryids of one query; null: not parsable.';
comment on column pgadvisor.query_hours.toplevel is 'False where it ran inside functions only.';
comment on column pgadvisor.query_hours.hour is 'Begin of the hour.';
comment on column pgadvisor.query_hours.share_ratio is
    'Of the time of all top-level statements of its database in that hour, 0 to 1.';

create or replace view pgadvisor.database_load as
select i.target_id, t.name as target, b.datname as database_name, i.since, i.until,
       extract(epoch from i.until - i.since)::double precision as seconds,
       i.statements, i.calls, i.rows, i.total_exec_time,
       i.total_exec_time / 1000 / nullif(extract(epoch from i.until - i.since)::double precision, 0)
           as average_active_sessions,
       i.shared_blks_hit, i.shared_blks_read, i.temp_blks_written, i.wal_bytes
from database_intervals i
join targets t on t.id = i.target_id
join databases b on b.target_id = i.target_id and b.dbid = i.dbid;
comment on view pgadvisor.database_load is
    'One row is what all top-level statements of one database did between two readings.';
comment on column pgadvisor.database_load.statements is 'Entries of pg_stat_statements that ran.';
comment on column pgadvisor.database_load.average_active_sessions is
    'Seconds of execution per second.';

create or replace view pgadvisor.database_hours as
select h.target_id, t.name as target, b.datname as database_name, h.hour,
       coalesce(sum(h.calls), 0)::bigint as calls, coalesce(sum(h.rows), 0)::bigint as rows,
       coalesce(sum(h.total_exec_time), 0)::double precision as total_exec_time,
       coalesce(sum(h.total_exec_time) / nullif(sum(h.calls), 0), 0)::double precision as mean_exec_time,
       coalesce(sum(h.total_plan_time), 0)::double precision as total_plan_time,
       coalesce(sum(h.shared_blks_hit), 0)::bigint as shared_blks_hit,
       coalesce(sum(h.shared_blks_read), 0)::bigint as shared_blks_read,
       coalesce(sum(h.temp_blks_written), 0)::bigint as temp_blks_written,
       coalesce(sum(h.wal_bytes), 0)::bigint as wal_bytes
from statement_hours h
join statements s on s.id = h.statement_id
join targets t on t.id = h.target_id
join databases b on b.target_id = s.target_id and b.dbid = s.dbid
where s.toplevel
group by h.target_id, t.name, b.datname, h.hour;
comment on view pgadvisor.database_hours is
    'One row is what all top-level statements of one database did in one hour (UTC).';
comment on column pgadvisor.database_hours.hour is 'Begin of the hour.';

create or replace view pgadvisor.coverage_hours as
select h.target_id, t.name as target, null::text as database_name, h.hour, h.covered_seconds,
       'collected' as source
from target_hours h
join targets t on t.id = h.target_id
union all
select i.target_id, t.name, b.datname, n.hour,
       extract(epoch from least(i.until, n.hour + interval '1 hour') - greatest(i.since, n.hour))
           ::double precision,
       i.source
from imported_spans i
cross join lateral generate_series(date_trunc('hour', i.since, 'UTC'),
                                   i.until - interval '1 microsecond', interval '1 hour') as n (hour)
join targets t on t.id = i.target_id
left join databases b on b.target_id = i.target_id and b.dbid = i.dbid;
comment on view pgadvisor.coverage_hours is
    'One row is how much of one hour (UTC) the history knows: divide counters by it, not by 3600.';
comment on column pgadvisor.coverage_hours.database_name is 'Null: all databases of the target.';
comment on column pgadvisor.coverage_hours.covered_seconds is
    'Over 3600 after an outage: what ran in it counts in the hour in which it was read.';
comment on column pgadvisor.coverage_hours.source is 'collected, or what it was imported from.';

create or replace view pgadvisor.gaps as
select g.target_id, t.name as target, g.since, g.until,
       extract(epoch from g.until - g.since)::double precision as seconds, g.reason, g.statements
from gaps g
join targets t on t.id = g.target_id;
comment on view pgadvisor.gaps is
    'One row is a span in which calls may have happened that no counter shows.';
comment on column pgadvisor.gaps.reason is
    'reset, eviction, restart, other_cluster, first_sight, clock; explained in docs/store.md.';
comment on column pgadvisor.gaps.statements is 'Entries concerned, as far as known.';

create or replace view pgadvisor.plans as
select p.id as plan_id, p.target_id, t.name as target, p.datname as database_name, p.queryid,
       p.fingerprint, p.shape, p.source, p.first_seen_at, p.last_seen_at, p.executions,
       p.total_duration_ms, p.total_duration_ms / nullif(p.executions, 0) as mean_duration_ms,
       p.max_duration_ms, p.plan ->> 'Node Type' as node_type,
       (p.plan ->> 'Total Cost')::double precision as total_cost, p.plan, p.example_query
from plans p
join targets t on t.id = p.target_id;
comment on view pgadvisor.plans is 'One row is one plan shape of one query.';
comment on column pgadvisor.plans.queryid is 'Null where the log said none: joined by fingerprint then.';
comment on column pgadvisor.plans.shape is
    '16 hex digits over the nodes, relations and indexes of the plan: the same plan has the same shape.';
comment on column pgadvisor.plans.source is
    'auto_explain: executed and logged; generic_plan: the planner was asked.';
comment on column pgadvisor.plans.executions is
    'Logged ones, so the slow ones where the log has a threshold; 0 for a plan we asked for.';
comment on column pgadvisor.plans.node_type is 'Of the topmost node.';
comment on column pgadvisor.plans.total_cost is 'The planner''s unit, no time.';
comment on column pgadvisor.plans.plan is 'The newest example, EXPLAIN (FORMAT JSON).';

create or replace view pgadvisor.plan_hours as
select h.target_id, t.name as target, p.datname as database_name, p.queryid, p.fingerprint,
       h.plan_id, p.shape, h.hour, h.executions, h.total_duration_ms,
       h.total_duration_ms / nullif(h.executions, 0) as mean_duration_ms, h.max_duration_ms
from plan_hours h
join plans p on p.id = h.plan_id
join targets t on t.id = h.target_id;
comment on view pgadvisor.plan_hours is
    'One row is what the log showed of one plan shape in one hour (UTC): when a plan changed, and what '
    'it cost.';
comment on column pgadvisor.plan_hours.executions is
    'Logged ones, so the slow ones where the log has a threshold.';

create or replace view pgadvisor.executions as
select e.target_id, t.name as target, coalesce(e.datname, p.datname) as database_name,
       coalesce(e.queryid, p.queryid) as queryid, coalesce(e.fingerprint, p.fingerprint) as fingerprint,
       e.logged_at, e.duration_ms, e.source, e.plan_id, p.shape, e.threshold_ms, e.sample_rate,
       coalesce(e.threshold_ms = 0 and e.sample_rate = 1, false) as is_whole,
       e.username, e.application_name, e.pid, e.parameters
from executions e
join targets t on t.id = e.target_id
left join plans p on p.id = e.plan_id;
comment on view pgadvisor.executions is
    'One row is one execution that the server log shows. Kept for PGADVISOR_RAW_RETENTION.';
comment on column pgadvisor.executions.source is
    'auto_explain or log_min_duration (log_min_duration_statement and its samples).';
comment on column pgadvisor.executions.threshold_ms is
    'Shorter executions were not logged at this rate; 0: all were; null: not known.';
comment on column pgadvisor.executions.sample_rate is
    'Probability that an execution as long as this was logged; null: not known.';
comment on column pgadvisor.executions.is_whole is
    'Every execution was logged then. Where false, means and counts are of the slow or sampled ones only.';
comment on column pgadvisor.executions.parameters is
    'Values of $1, $2, ... as PGADVISOR_PARAMETERS keeps them.';

create or replace view pgadvisor.execution_stats as
select e.target_id, e.target, e.database_name, e.fingerprint, e.queryid,
       date_trunc('hour', e.logged_at, 'UTC') as hour, e.source, e.is_whole, e.threshold_ms,
       e.sample_rate, count(*) as executions,
       case when e.sample_rate is not null then count(*) / e.sample_rate end as estimated_executions,
       sum(e.duration_ms) as total_duration_ms, avg(e.duration_ms) as mean_duration_ms,
       percentile_cont(0.5) within group (order by e.duration_ms) as median_duration_ms,
       percentile_cont(0.95) within group (order by e.duration_ms) as p95_duration_ms,
       max(e.duration_ms) as max_duration_ms
from pgadvisor.executions e
group by e.target_id, e.target, e.database_name, e.fingerprint, e.queryid, hour, e.source,
         e.is_whole, e.threshold_ms, e.sample_rate;
comment on view pgadvisor.execution_stats is
    'One row is the logged executions of one query in one hour (UTC) that were logged in one way: '
    'a sample of the slow ones is never added to the whole.';
comment on column pgadvisor.execution_stats.is_whole is
    'True: these are all executions. False: only those from threshold_ms on, or a sample, or not known.';
comment on column pgadvisor.execution_stats.estimated_executions is
    'executions / sample_rate: how many there were from threshold_ms on; null: not known.';
comment on column pgadvisor.execution_stats.mean_duration_ms is
    'Of what was logged: no mean of the query unless is_whole.';
comment on column pgadvisor.execution_stats.median_duration_ms is 'Of what was logged, as mean_duration_ms.';
comment on column pgadvisor.execution_stats.p95_duration_ms is 'Of what was logged, as mean_duration_ms.';

create or replace view pgadvisor.table_statistics as
select r.target_id, t.name as target, b.datname as database_name, o.schema_name, o.table_name, r.oid,
       r.since, r.until, x.seconds, n.total_bytes, n.table_bytes,
       n.total_bytes - p.total_bytes as grown_bytes, n.reltuples, n.n_live_tup, n.n_dead_tup,
       (n.n_tup_ins - p.n_tup_ins) / x.counted_seconds as n_tup_ins_per_second,
       (n.n_tup_upd - p.n_tup_upd) / x.counted_seconds as n_tup_upd_per_second,
       (n.n_tup_del - p.n_tup_del) / x.counted_seconds as n_tup_del_per_second,
       (n.n_tup_hot_upd - p.n_tup_hot_upd) / x.counted_seconds as n_tup_hot_upd_per_second,
       (n.seq_scan - p.seq_scan) / x.counted_seconds as seq_scan_per_second,
       (n.seq_tup_read - p.seq_tup_read) / x.counted_seconds as seq_tup_read_per_second,
       (n.idx_scan - p.idx_scan) / x.counted_seconds as idx_scan_per_second, n.last_analyze_at
from (
    select s.target_id, s.dbid, s.oid, s.captured_at as until, s.statistics as now,
           lag(s.captured_at) over w as since, lag(s.statistics) over w as past
    from relation_statistics s
    where s.kind = 'table'
    window w as (partition by s.target_id, s.dbid, s.oid order by s.captured_at)
) r
cross join lateral jsonb_to_record(r.now) as n (
    total_bytes bigint, table_bytes bigint, reltuples double precision, n_live_tup bigint,
    n_dead_tup bigint, n_tup_ins double precision, n_tup_upd double precision,
    n_tup_del double precision, n_tup_hot_upd double precision, seq_scan double precision,
    seq_tup_read double precision, idx_scan double precision, last_analyze_at timestamptz)
cross join lateral jsonb_to_record(r.past) as p (
    total_bytes bigint, n_tup_ins double precision, n_tup_upd double precision,
    n_tup_del double precision, n_tup_hot_upd double precision, seq_scan double precision,
    seq_tup_read double precision, idx_scan double precision)
cross join lateral (
    select extract(epoch from r.until - r.since)::double precision as seconds,
           case when n.n_tup_ins >= p.n_tup_ins and n.n_tup_upd >= p.n_tup_upd
                     and n.n_tup_del >= p.n_tup_del and n.seq_scan >= p.seq_scan
                     and n.idx_scan >= p.idx_scan
                then extract(epoch from r.until - r.since)::double precision end as counted_seconds
) x
join targets t on t.id = r.target_id
join databases b on b.target_id = r.target_id and b.dbid = r.dbid
left join lateral (
    select c.definition ->> 'schema' as schema_name, c.definition ->> 'name' as table_name
    from catalog_objects c
    where c.target_id = r.target_id and c.dbid = r.dbid and c.kind = 'table'
      and c.object = r.oid::text and c.since <= r.until
    order by c.since desc limit 1
) o on true
where r.since is not null;
comment on view pgadvisor.table_statistics is
    'One row is what changed in a table between two readings of pg_stat_all_tables, as rates. A reading '
    'is kept only where it differs from the one before: the first rates after a quiet time are spread '
    'over it.';
comment on column pgadvisor.table_statistics.table_name is 'As it was called then.';
comment on column pgadvisor.table_statistics.total_bytes is 'At until, with indexes and TOAST.';
comment on column pgadvisor.table_statistics.table_bytes is 'At until, without indexes.';
comment on column pgadvisor.table_statistics.grown_bytes is 'Since the reading before; negative: it shrank.';
comment on column pgadvisor.table_statistics.reltuples is 'Rows as the planner counts them, at until.';
comment on column pgadvisor.table_statistics.n_tup_ins_per_second is
    'Rows inserted; null, as the other rates, where the statistics were reset in between.';
comment on column pgadvisor.table_statistics.n_tup_upd_per_second is 'Rows updated.';
comment on column pgadvisor.table_statistics.n_tup_del_per_second is 'Rows deleted.';
comment on column pgadvisor.table_statistics.n_tup_hot_upd_per_second is
    'Rows updated without touching an index.';
comment on column pgadvisor.table_statistics.seq_tup_read_per_second is 'Rows read by sequential scans.';
comment on column pgadvisor.table_statistics.last_analyze_at is 'By ANALYZE or autovacuum, as of until.';

create or replace view pgadvisor.index_statistics as
select r.target_id, t.name as target, b.datname as database_name, o.schema_name, o.table_name,
       o.index_name, r.oid, r.since, r.until,
       extract(epoch from r.until - r.since)::double precision as seconds, n.total_bytes,
       n.total_bytes - p.total_bytes as grown_bytes,
       case when n.idx_scan >= p.idx_scan then
           (n.idx_scan - p.idx_scan) / extract(epoch from r.until - r.since)::double precision
       end as idx_scan_per_second
from (
    select s.target_id, s.dbid, s.oid, s.captured_at as until, s.statistics as now,
           lag(s.captured_at) over w as since, lag(s.statistics) over w as past
    from relation_statistics s
    where s.kind = 'index'
    window w as (partition by s.target_id, s.dbid, s.oid order by s.captured_at)
) r
cross join lateral jsonb_to_record(r.now) as n (total_bytes bigint, idx_scan double precision)
cross join lateral jsonb_to_record(r.past) as p (total_bytes bigint, idx_scan double precision)
join targets t on t.id = r.target_id
join databases b on b.target_id = r.target_id and b.dbid = r.dbid
left join lateral (
    select c.definition ->> 'schema' as schema_name, c.definition ->> 'name' as index_name,
           (select x.definition ->> 'name' from catalog_objects x
            where x.target_id = c.target_id and x.dbid = c.dbid and x.kind = 'table'
              and x.object = c.definition ->> 'table_oid' and x.since <= r.until
            order by x.since desc limit 1) as table_name
    from catalog_objects c
    where c.target_id = r.target_id and c.dbid = r.dbid and c.kind = 'index'
      and c.object = r.oid::text and c.since <= r.until
    order by c.since desc limit 1
) o on true
where r.since is not null;
comment on view pgadvisor.index_statistics is
    'One row is what changed in an index between two readings of pg_stat_all_indexes, as rates; kept as '
    'table_statistics are.';
comment on column pgadvisor.index_statistics.total_bytes is 'At until.';
comment on column pgadvisor.index_statistics.grown_bytes is 'Since the reading before; negative: it shrank.';
comment on column pgadvisor.index_statistics.idx_scan_per_second is
    'Scans of the index; null where the statistics were reset in between.';

create or replace view pgadvisor.settings_changes as
select c.target_id, t.name as target, c.name, c.changed_at, c.setting, c.unit, c.source,
       c.previous_setting, c.previous_source, c.changed_at - c.previous_since as held
from (
    select s.target_id, s.name, s.since as changed_at, s.setting, s.unit, s.source,
           lag(s.setting) over w as previous_setting, lag(s.source) over w as previous_source,
           lag(s.since) over w as previous_since
    from settings s
    window w as (partition by s.target_id, s.name order by s.since)
) c
join targets t on t.id = c.target_id
where c.previous_setting is not null;
comment on view pgadvisor.settings_changes is
    'One row is one change of a parameter (pg_settings) that was seen between two readings.';
comment on column pgadvisor.settings_changes.changed_at is 'When the new value was seen first.';
comment on column pgadvisor.settings_changes.source is 'Where the value comes from, as in pg_settings.';
comment on column pgadvisor.settings_changes.held is
    'How long the value before held, since it was seen first.';

create or replace view pgadvisor.catalog_changes as
select o.target_id, t.name as target, b.datname as database_name, o.kind,
       coalesce(o.definition ->> 'schema' || '.', '') || coalesce(o.definition ->> 'name', o.kind) as object,
       e.changed_at, e.change, case when e.change <> 'dropped' then o.definition end as definition,
       case when e.change = 'dropped' then o.definition else o.previous end as previous_definition
from (
    select c.target_id, c.dbid, c.kind, c.object, c.definition, c.since, c.until,
           lag(c.until) over w as previous_until, lag(c.definition) over w as previous,
           lead(c.since) over w as next_since,
           min(c.since) over (partition by c.target_id, c.dbid) as first_read_at
    from catalog_objects c
    window w as (partition by c.target_id, c.dbid, c.kind, c.object order by c.since)
) o
cross join lateral (
    select o.since as changed_at, 'changed' as change where o.previous_until = o.since
    union all
    select o.since, 'created' where o.previous_until is distinct from o.since and o.since > o.first_read_at
    union all
    select o.until, 'dropped' where o.until is not null and o.next_since is distinct from o.until
) e
join targets t on t.id = o.target_id
join databases b on b.target_id = o.target_id and b.dbid = o.dbid;
comment on view pgadvisor.catalog_changes is
    'One row is one table, index, foreign key or search_path that was created, changed or dropped '
    'between two readings of the catalog.';
comment on column pgadvisor.catalog_changes.kind is 'table, index, foreign_key or search_path.';
comment on column pgadvisor.catalog_changes.object is 'Its name, with the schema where it has one.';
comment on column pgadvisor.catalog_changes.changed_at is 'When the new state was seen first.';
comment on column pgadvisor.catalog_changes.change is 'created, changed or dropped.';
comment on column pgadvisor.catalog_changes.definition is 'The new state; null when dropped.';
comment on column pgadvisor.catalog_changes.previous_definition is 'The state before; null when created.';

create or replace view pgadvisor.activity as
select a.target_id, t.name as target, a.captured_at, a.datname as database_name, a.usename as username,
       a.state, a.wait_event_type, a.wait_event, a.queryid, a.backends, a.longest_ms
from activity_samples a
join targets t on t.id = a.target_id;
comment on view pgadvisor.activity is
    'One row is how many client backends were in one state, on one wait, in one query at one moment '
    '(pg_stat_activity).';
comment on column pgadvisor.activity.longest_ms is 'How long the longest of them had been at it.';

create or replace view pgadvisor.recommendations as
select r.id as recommendation_id, r.target_id, t.name as target, r.database_name, r.rule, r.title,
       r.statement, r.undo, r.reasoning, r.queryids, r.evidence_level, r.confidence_score,
       r.estimated_improvement_percent, r.improvement_low_percent, r.improvement_high_percent,
       r.frequency, r.current_impact, r.urgency_score, r.roi_score,
       r.roi_score / 100 as saved_seconds_per_hour, r.state, r.state_reason, r.created_at, r.updated_at
from optimization_recommendations r
join targets t on t.id = r.target_id;
comment on view pgadvisor.recommendations is 'One row is one change that is or was advised.';
comment on column pgadvisor.recommendations.statement is 'SQL to run.';
comment on column pgadvisor.recommendations.undo is 'SQL that undoes it.';
comment on column pgadvisor.recommendations.evidence_level is 'measured, predicted, costed or heuristic.';
comment on column pgadvisor.recommendations.frequency is 'Calls per hour of the queries concerned.';
comment on column pgadvisor.recommendations.current_impact is 'Their mean execution time in seconds.';
comment on column pgadvisor.recommendations.urgency_score is 'frequency x current_impact.';
comment on column pgadvisor.recommendations.roi_score is
    'confidence_score x estimated_improvement_percent x urgency_score.';
comment on column pgadvisor.recommendations.saved_seconds_per_hour is
    'What one may expect to save: a hundredth of roi_score.';
comment on column pgadvisor.recommendations.state is
    'proposed, accepted, rejected, applied, verified, reverted or expired.';

create or replace view pgadvisor.silences as
select a.target_id, t.name as target, a.database_name, a.queryid, q.fingerprint, a.rule, a.reason,
       a.analyzed_at
from advice_silences a
join targets t on t.id = a.target_id
left join lateral (
    select max(x.fingerprint) as fingerprint
    from queries x
    join databases b on b.target_id = x.target_id and b.dbid = x.dbid
    where x.target_id = a.target_id and x.queryid = a.queryid and b.datname = a.database_name
) q on true;
comment on view pgadvisor.silences is 'One row is why one rule advises nothing for one query.';

create or replace view pgadvisor.data_quality as
select t.id as target_id, t.name as target, null::text as database_name, f.item, f.reason, f.day,
       f.first_at, f.last_at, f.count, f.seconds
from targets t
cross join lateral (
    select 'gap-' || g.reason as item, g.reason, date_trunc('day', g.until, 'UTC') as day, min(g.since) as first_at,
           max(g.until) as last_at, count(*) as count,
           sum(extract(epoch from g.until - g.since))::double precision as seconds
    from gaps g where g.target_id = t.id
    group by g.reason, 3
    union all
    select 'evictions', 'pg_stat_statements.max is too small', date_trunc('day', d.captured_at, 'UTC'),
           min(d.since), max(d.captured_at), sum(d.dealloc - d.before)::bigint, null
    from (select s.captured_at, s.since, s.dealloc,
                 lag(s.dealloc) over (partition by s.target_id order by s.id) as before
          from snapshots s where s.target_id = t.id) d
    where d.dealloc > d.before
    group by 3
    union all
    select 'log-skipped', k.key, date_trunc('day', l.updated_at, 'UTC'), null, l.updated_at,
           k.value::bigint, null
    from log_positions l cross join lateral jsonb_each_text(l.skipped) as k
    where l.target_id = t.id
    union all
    select 'target-failing', t.last_error, date_trunc('day', t.last_error_at, 'UTC'), t.last_error_at,
           t.last_error_at, t.failures::bigint, null
    where t.last_error is not null
    union all
    select 'log-problem', t.log_problem, date_trunc('day', t.last_seen_at, 'UTC'), null, t.last_seen_at,
           1, null
    where t.log_problem is not null
    union all
    select 'hidden-statements', 'pg_read_all_stats is not granted', date_trunc('day', h.captured_at, 'UTC'),
           null, h.captured_at, h.hidden::bigint, h.hidden_exec_time / 1000
    from (select s.captured_at, s.hidden, s.hidden_exec_time from snapshots s
          where s.target_id = t.id order by s.id desc limit 1) h
    where h.hidden > 0
) f
union all
select c.target_id, t.name, nullif(c.database_name, ''), 'check', c.name || ': ' || c.message,
       date_trunc('day', c.checked_at, 'UTC'), null, c.checked_at, 1, null
from target_checks c
join targets t on t.id = c.target_id
where c.status <> 'ok'
union all
select b.target_id, t.name, b.datname, 'database-unreadable', b.problem,
       date_trunc('day', b.last_seen_at, 'UTC'), null, b.last_seen_at, 1, null
from databases b
join targets t on t.id = b.target_id
where b.problem is not null
union all
select q.target_id, t.name, b.datname, k.item, k.item, date_trunc('day', q.first_seen_at, 'UTC'),
       min(q.first_seen_at), max(q.first_seen_at), count(*), null
from queries q
cross join lateral (
    select case when q.unreadable like 'hidden%' then 'text-hidden'
                when q.unreadable like '%cut off%' then 'text-truncated'
                when q.unreadable like 'not SQL%' then 'text-not-sql'
                else 'text-unparsable' end as item
) k
join targets t on t.id = q.target_id
join databases b on b.target_id = q.target_id and b.dbid = q.dbid
where q.unreadable is not null and not q.is_own
group by q.target_id, t.name, b.datname, k.item, date_trunc('day', q.first_seen_at, 'UTC');
comment on view pgadvisor.data_quality is
    'One row is how often one thing made the history incomplete on one day (UTC). The page /data-quality '
    'and GET /api/v1/data-quality say more: the share of time, why it matters, and what mends it.';
comment on column pgadvisor.data_quality.database_name is 'Null: the whole target.';
comment on column pgadvisor.data_quality.item is
    'gap-..., evictions, log-skipped, target-failing, log-problem, hidden-statements, check, '
    'database-unreadable, text-...; explained in docs/data_quality.md.';
comment on column pgadvisor.data_quality.reason is 'In the words of whoever found it.';
comment on column pgadvisor.data_quality.day is 'Begin of the day.';
comment on column pgadvisor.data_quality.count is
    'On that day; of log-skipped since the log is read; of a state (a failing target, a problem, hidden '
    'statements, a check) as of last_at.';
comment on column pgadvisor.data_quality.seconds is
    'Length of the gaps; execution time of hidden statements; null where it has no meaning.';

-- one row: the load of a database over a span, added to what an earlier piece brought for it; spans
-- that end together are one interval, as long as the shortest of them: a statement that a source
-- did not show for a while has a longer span than the others
with incoming as (
    select dbid, max(since) as since, until, count(distinct statement_id)::integer as statements,
           coalesce(sum(calls), 0)::bigint as calls, coalesce(sum(rows), 0)::bigint as rows,
           coalesce(sum(total_exec_time), 0) as total_exec_time,
           coalesce(sum(shared_blks_hit), 0)::bigint as shared_blks_hit,
           coalesce(sum(shared_blks_read), 0)::bigint as shared_blks_read,
           coalesce(sum(temp_blks_written), 0)::bigint as temp_blks_written,
           coalesce(sum(wal_bytes), 0)::bigint as wal_bytes
    from incoming_history
    where toplevel
    group by dbid, until
), added as (
    update database_intervals d
    set statements = greatest(d.statements, i.statements), calls = d.calls + i.calls,
        rows = d.rows + i.rows, total_exec_time = d.total_exec_time + i.total_exec_time,
        shared_blks_hit = d.shared_blks_hit + i.shared_blks_hit,
        shared_blks_read = d.shared_blks_read + i.shared_blks_read,
        temp_blks_written = d.temp_blks_written + i.temp_blks_written,
        wal_bytes = d.wal_bytes + i.wal_bytes
    from incoming i
    where d.target_id = %(target_id)s and d.dbid = i.dbid and d.since = i.since
      and d.until = i.until and %(may_add)s
    returning d.dbid, d.since, d.until
)
insert into database_intervals (target_id, dbid, since, until, statements, calls, rows,
    total_exec_time, shared_blks_hit, shared_blks_read, temp_blks_written, wal_bytes)
select %(target_id)s, i.*
from incoming i
where not exists (
    select from added a where (a.dbid, a.since, a.until) = (i.dbid, i.since, i.until))

-- one row: the load of a database over an interval; nested statements are within their caller's
insert into database_intervals (target_id, dbid, since, until, statements, calls, rows,
    total_exec_time, shared_blks_hit, shared_blks_read, temp_blks_written, wal_bytes)
select %(target_id)s, dbid, %(since)s, %(until)s, count(*), coalesce(sum(calls), 0),
       coalesce(sum(rows), 0), coalesce(sum(total_exec_time), 0),
       coalesce(sum(shared_blks_hit), 0), coalesce(sum(shared_blks_read), 0),
       coalesce(sum(temp_blks_written), 0), coalesce(sum(wal_bytes), 0)
from incoming_deltas
where toplevel
group by dbid

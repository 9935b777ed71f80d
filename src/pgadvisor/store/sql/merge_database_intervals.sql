-- one row: how many rows fewer there are since a day of intervals became one row an hour and database,
-- null where none was left; an interval is of the hour in which it ends, and until - since of the
-- new row is the time that was covered
with first as (
    select min(until) as at from database_intervals
    where target_id = %(target_id)s and not is_merged and until <= %(end)s
), old as (
    delete from database_intervals d
    using first f
    where d.target_id = %(target_id)s and not d.is_merged
      -- whole hours: a part of one would become a row of its own
      and d.until <= least(%(end)s, date_trunc('hour', f.at, 'UTC') + interval '1 day')
    returning d.*
), merged as (
    insert into database_intervals (target_id, dbid, since, until, statements, calls, rows,
        total_exec_time, shared_blks_hit, shared_blks_read, temp_blks_written, wal_bytes, is_merged)
    select target_id, dbid, max(until) - sum(until - since), max(until), max(statements),
           sum(calls), sum(rows), sum(total_exec_time), sum(shared_blks_hit),
           sum(shared_blks_read), sum(temp_blks_written), sum(wal_bytes), true
    from old
    group by target_id, dbid, date_trunc('hour', until - interval '1 microsecond', 'UTC')
    returning 1
)
select (select count(*) from old) - (select count(*) from merged)
from first
where at is not null

-- one row: a query over the window, busiest first; share is of its database's time
with used as (
    select s.target_id, s.dbid, s.queryid,
           coalesce(sum(d.calls), 0)::bigint as calls,
           -- rounded, so that a sum in another order does not lose a row between two pages
           round(coalesce(sum(d.total_exec_time), 0)::numeric, 3)::float8 as total_exec_time,
           coalesce(sum(d.rows), 0)::bigint as rows,
           coalesce(sum(d.shared_blks_hit), 0)::bigint as shared_blks_hit,
           coalesce(sum(d.shared_blks_read), 0)::bigint as shared_blks_read,
           coalesce(sum(d.temp_blks_written), 0)::bigint as temp_blks_written
    from statement_deltas d
    join statements s on s.id = d.statement_id
    where d.until > %(since)s and d.until <= %(until)s
    group by 1, 2, 3
), ranked as (
    select u.*, t.name as target, b.datname as database_name, q.fingerprint, q.query, q.kind,
           q.unreadable,
           u.total_exec_time / nullif(u.calls, 0) as mean_exec_time,
           coalesce(u.total_exec_time
                    / nullif(sum(u.total_exec_time) over (partition by u.target_id, u.dbid), 0), 0)
               as share_ratio
    from used u
    join targets t on t.id = u.target_id
    join databases b on (b.target_id, b.dbid) = (u.target_id, u.dbid)
    left join queries q on (q.target_id, q.dbid, q.queryid) = (u.target_id, u.dbid, u.queryid)
    where q.is_own is not true
)
select target_id, target, database_name, dbid, queryid, fingerprint, query, kind, unreadable, calls,
       total_exec_time, coalesce(mean_exec_time, 0) as mean_exec_time, rows, shared_blks_hit,
       shared_blks_read, temp_blks_written, share_ratio
from ranked
where (%(target)s::text is null or target = %(target)s)
  and (%(database)s::text is null or database_name = %(database)s)
  and (%(queryid)s::bigint is null or queryid = %(queryid)s)
  and (%(fingerprint)s::text is null or fingerprint = %(fingerprint)s)
  and (%(after_time)s::float8 is null
       or (total_exec_time, queryid, target_id, dbid)
          < (%(after_time)s, %(after_queryid)s::bigint, %(after_target_id)s::integer,
             %(after_dbid)s::bigint))
order by total_exec_time desc, queryid desc, target_id desc, dbid desc
limit %(limit)s

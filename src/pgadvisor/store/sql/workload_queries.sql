-- one row: a query of the database over the window, users and calls added up, busiest first
with used as (
    select s.queryid, s.userid, bool_or(s.toplevel) as toplevel,
           sum(d.calls) as calls, sum(d.total_exec_time) as total_exec_time, sum(d.rows) as rows,
           sum(d.sum_squared_exec_time) as sum_squared_exec_time,
           sum(d.shared_blks_hit) as shared_blks_hit, sum(d.shared_blks_read) as shared_blks_read,
           sum(d.temp_blks_read) as temp_blks_read, sum(d.temp_blks_written) as temp_blks_written,
           sum(d.temp_blk_read_time) as temp_blk_read_time,
           sum(d.temp_blk_write_time) as temp_blk_write_time
    from statement_deltas d
    join statements s on s.id = d.statement_id
    where d.target_id = %(target_id)s and s.dbid = %(dbid)s
      and d.until > %(since)s and d.until <= %(until)s
    group by 1, 2
)
select u.queryid, q.fingerprint, q.query,
       coalesce(sum(u.calls), 0)::bigint as calls,
       coalesce(sum(u.total_exec_time), 0)::float8 as total_exec_time,
       coalesce(sum(u.rows), 0)::bigint as rows,
       coalesce(sum(u.sum_squared_exec_time), 0)::float8 as sum_squared_exec_time,
       coalesce(sum(u.shared_blks_hit), 0)::bigint as shared_blks_hit,
       coalesce(sum(u.shared_blks_read), 0)::bigint as shared_blks_read,
       coalesce(sum(u.temp_blks_read), 0)::bigint as temp_blks_read,
       coalesce(sum(u.temp_blks_written), 0)::bigint as temp_blks_written,
       coalesce(sum(u.temp_blk_read_time), 0)::float8 as temp_blk_read_time,
       coalesce(sum(u.temp_blk_write_time), 0)::float8 as temp_blk_write_time,
       bool_or(u.toplevel) as toplevel,
       coalesce(array_agg(r.rolname order by u.total_exec_time desc nulls last)
                    filter (where r.rolname is not null), '{}') as users
from used u
left join queries q on q.target_id = %(target_id)s and q.dbid = %(dbid)s and q.queryid = u.queryid
left join roles r on r.target_id = %(target_id)s and r.userid = u.userid
where q.is_own is not true
group by u.queryid, q.fingerprint, q.query
order by total_exec_time desc
limit %(most)s

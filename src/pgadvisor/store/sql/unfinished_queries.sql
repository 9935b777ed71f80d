-- one row: a query that was seen running in the window and that never finished in it
select r.queryid, min(r.query) as query, count(*)::integer as calls,
       (sum(extract(epoch from r.last_seen_at - r.started_at)) * 1000)::float8 as total_exec_time,
       array_agg(distinct r.usename) as users
from running_statements r
where r.target_id = %(target_id)s and r.datname = %(database)s
  and r.last_seen_at > %(since)s and r.last_seen_at <= %(until)s
  and not exists (
      select from statements s
      join statement_deltas d on d.target_id = s.target_id and d.statement_id = s.id
      where s.target_id = r.target_id and s.dbid = %(dbid)s and s.queryid = r.queryid
        and d.until > %(since)s and d.until <= %(until)s)
group by r.queryid

-- one row: a query that was seen running in the window and that never finished in it
select r.queryid, min(r.query) as query, count(*)::integer as calls,
       (sum(extract(epoch from r.last_seen_at - r.started_at)) * 1000)::float8 as total_exec_time,
       array_agg(distinct r.usename) as users
from running_statements r
where r.target_id = any (%(target_ids)s::integer[]) and r.datname = %(database)s
  and r.last_seen_at > %(since)s and r.last_seen_at <= %(until)s
  and not exists (
      select from statements s
      join databases b on b.target_id = s.target_id and b.dbid = s.dbid
      join statement_hours h on h.target_id = s.target_id and h.statement_id = s.id
      where s.target_id = any (%(target_ids)s::integer[]) and s.queryid = r.queryid
        and b.datname = r.datname
        and h.hour > %(since)s::timestamptz - interval '1 hour' and h.hour < %(until)s)
group by r.queryid

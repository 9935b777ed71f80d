-- one row: what was imported from one source into the history of one database in the window
select t.name as target, b.datname as database_name, i.source, count(*)::integer as count,
       sum(i.rows_read)::bigint as rows_read, min(i.since) as first_at, max(i.until) as last_at
from imported_spans i
join targets t on t.id = i.target_id
join databases b on b.target_id = i.target_id and b.dbid = i.dbid
where i.until > %(since)s and i.since < %(until)s
  and (%(target)s::text is null or t.name = %(target)s)
  and (%(database)s::text is null or b.datname = %(database)s)
group by t.name, b.datname, i.source
order by t.name, b.datname, i.source

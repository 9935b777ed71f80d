-- one row: an entry of pg_stat_statements of a query that a queryid or a fingerprint means
with meant as (
    select q.target_id, b.datname, q.fingerprint, q.queryid
    from queries q
    join targets t on t.id = q.target_id
    join databases b on b.target_id = q.target_id and b.dbid = q.dbid
    where not q.is_own
      and (%(queryid)s::bigint is null or q.queryid = %(queryid)s)
      and (%(fingerprint)s::text is null or q.fingerprint = %(fingerprint)s)
      and (%(target)s::text is null or t.name = %(target)s)
      and (%(database)s::text is null or b.datname = %(database)s)
), known as (
    select m.target_id, m.datname, q.dbid, q.queryid
    from meant m
    join queries q on q.target_id = m.target_id and q.fingerprint = m.fingerprint
    where m.fingerprint is not null and not q.is_own
    union
    select m.target_id, m.datname, b.dbid, m.queryid
    from meant m
    join databases b on b.target_id = m.target_id and b.datname = m.datname
    where m.fingerprint is null
)
select s.target_id, s.id as statement_id
from known k
join databases b on b.target_id = k.target_id and b.dbid = k.dbid and b.datname = k.datname
join statements s on s.target_id = k.target_id and s.dbid = k.dbid and s.queryid = k.queryid
union
-- one whose text was never asked for
select s.target_id, s.id
from statements s
join targets t on t.id = s.target_id
join databases b on b.target_id = s.target_id and b.dbid = s.dbid
where s.queryid = %(queryid)s
  and (%(target)s::text is null or t.name = %(target)s)
  and (%(database)s::text is null or b.datname = %(database)s)
  and not exists (select from queries q where q.target_id = s.target_id and q.dbid = s.dbid
                                          and q.queryid = s.queryid)

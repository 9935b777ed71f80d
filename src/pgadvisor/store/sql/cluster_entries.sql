-- one row: an entry of pg_stat_statements of one query, on any target of the cluster of one target
with members as (
    select m.id
    from targets t
    join targets m on m.id = t.id or m.system_identifier = t.system_identifier
    where t.id = %(target_id)s
)
select s.target_id, s.id as statement_id
from members m
join databases b on b.target_id = m.id and b.datname = %(database)s
join queries q on q.target_id = m.id and q.dbid = b.dbid and q.fingerprint = %(fingerprint)s
join statements s on s.target_id = m.id and s.dbid = b.dbid and s.queryid = q.queryid
where not q.is_own
union
select s.target_id, s.id
from members m
join databases b on b.target_id = m.id and b.datname = %(database)s
join statements s on s.target_id = m.id and s.dbid = b.dbid
where s.queryid = any (%(queryids)s::bigint[])

-- one row: the id of an entry key, made if it is new
with keys as (
    select * from unnest(%(dbids)s::bigint[], %(userids)s::bigint[], %(queryids)s::bigint[],
                         %(toplevels)s::boolean[]) as k (dbid, userid, queryid, toplevel)
), inserted as (
    insert into statements (target_id, dbid, userid, queryid, toplevel)
    select %(target_id)s, k.* from keys k
    where not exists (
        select from statements s
        where s.target_id = %(target_id)s and (s.dbid, s.userid, s.queryid, s.toplevel)
              = (k.dbid, k.userid, k.queryid, k.toplevel))
    on conflict do nothing
    returning id, dbid, userid, queryid, toplevel
)
select * from inserted
union all
select s.id, s.dbid, s.userid, s.queryid, s.toplevel
from statements s
join keys k using (dbid, userid, queryid, toplevel)
where s.target_id = %(target_id)s

-- one row: a view of ours with one right that was granted on it, null for none
select n.nspname, c.relname,
       'grant ' || a.privilege_type || ' on ' || c.oid::regclass || ' to '
       || case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join lateral aclexplode(c.relacl) a on a.grantee <> c.relowner
where n.nspname = 'pgadvisor' and c.relkind in ('v', 'm')

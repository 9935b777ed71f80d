-- one row: a check of a target that did not go well, or a database that cannot be read
select t.name as target, nullif(c.database_name, '') as database_name, c.name, c.status, c.message,
       c.remedy, c.checked_at
from target_checks c
join targets t on t.id = c.target_id
where c.status <> 'ok' and t.removed_at is null
  -- one database of a server with the extension is enough
  and not (c.name = 'pg-stat-statements'
           and exists (select from target_checks o
                       where o.target_id = c.target_id and o.name = c.name and o.status <> 'error'))
  and (%(target)s::text is null or t.name = %(target)s)
  and (%(database)s::text is null or c.database_name in ('', %(database)s))
union all
select b.target, b.database_name, 'database-unreadable', 'warning', b.problem, '', b.last_seen_at
from pgadvisor.databases b
join pgadvisor.targets t on t.target_id = b.target_id
where b.problem is not null and b.is_current and t.removed_at is null
  and (%(target)s::text is null or b.target = %(target)s)
  and (%(database)s::text is null or b.database_name = %(database)s)
order by 1, 2, 3

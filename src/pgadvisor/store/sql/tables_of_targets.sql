-- one row: a table with rows of targets that no foreign key empties when a target is deleted
select c.relname
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'target_id' and not a.attisdropped
where c.relkind in ('r', 'p') and not c.relispartition
    and c.relnamespace = (select relnamespace from pg_class where oid = 'targets'::regclass)
    and not exists (
        select from pg_constraint f
        where f.conrelid = c.oid and f.confrelid = 'targets'::regclass and f.confdeltype = 'c'
    )
order by c.relname

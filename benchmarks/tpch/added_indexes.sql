-- One row: an index that is no primary key, and its size.
select c.relname::text, pg_size_pretty(pg_relation_size(c.oid))
from pg_index i
join pg_class c on c.oid = i.indexrelid
where c.relnamespace = 'public'::regnamespace and not i.indisprimary
order by 1

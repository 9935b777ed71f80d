-- One row: an index that is no primary key, and its size.
select i.indexrelid::regclass::text, pg_size_pretty(pg_relation_size(i.indexrelid))
from pg_index i
join pg_class c on c.oid = i.indrelid
where c.relnamespace = 'public'::regnamespace and not i.indisprimary
order by 1

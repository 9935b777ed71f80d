-- One row: a column of a user's table that a btree index could have.
select c.relname as relation, a.attname as column_name
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname = 'public' and a.attnum > 0 and not a.attisdropped
  and a.atttypid not in ('json'::regtype, 'jsonb'::regtype, 'point'::regtype)
order by 1, 2

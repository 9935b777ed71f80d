-- No row: lets the planner use the named indexes and no others but the primary keys.
update pg_index i
set indisvalid = c.relname = any (%(names)s)
from pg_class c
where c.oid = i.indexrelid
  and c.relnamespace = 'public'::regnamespace
  and not i.indisprimary
  and i.indisvalid is distinct from (c.relname = any (%(names)s))

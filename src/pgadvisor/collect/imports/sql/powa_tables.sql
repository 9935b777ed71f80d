-- one row: the schema that PoWA's tables are in, what its records of statements have, and whether
-- nested statements are told apart
select /* pgadvisor */ n.nspname,
       array(select a.attname
             from pg_type t
             join pg_attribute a on a.attrelid = t.typrelid
             where t.typname = 'powa_statements_history_record' and t.typnamespace = n.oid
               and a.attnum > 0 and not a.attisdropped
             order by a.attnum)::text[],
       exists (select from pg_attribute a
               where a.attrelid = c.oid and a.attname = 'toplevel' and not a.attisdropped)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relname = 'powa_statements_history' and c.relkind in ('r', 'p')

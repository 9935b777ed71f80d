-- one row: the schema of the table that pgwatch writes stat_statements to, and its span
select /* pgadvisor */ n.nspname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relname = 'stat_statements' and c.relkind in ('r', 'p')
  and (select count(*) from pg_attribute a
       where a.attrelid = c.oid and a.attname in ('time', 'dbname', 'data', 'tag_data')) = 4
order by n.nspname = 'public' desc
limit 1

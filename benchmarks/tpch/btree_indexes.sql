-- One row: the key columns of an existing btree index.
select t.relname as relation, array_agg(a.attname::text order by k.ordinality) as columns
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_am m on m.oid = x.relam and m.amname = 'btree'
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'public'
cross join unnest(i.indkey::smallint[]) with ordinality as k (attnum, ordinality)
join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
group by i.indexrelid, t.relname

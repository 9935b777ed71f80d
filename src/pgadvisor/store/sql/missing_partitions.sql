-- one row: the name of a partition that is not there; none for a hypertable, which has chunks
select name
from unnest(%(names)s::text[]) name
where to_regclass(name) is null
  and exists (select from pg_partitioned_table where partrelid = to_regclass(%(table)s))

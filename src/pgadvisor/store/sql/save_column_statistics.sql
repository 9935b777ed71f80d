-- one row: what pg_stats says of a column now
insert into column_statistics as c (target_id, dbid, table_oid, attname, captured_at,
    null_frac, avg_width, n_distinct, correlation, most_common_freqs)
select %(target_id)s, %(dbid)s, s.table_oid, s.attname, %(now)s,
       (s.stats ->> 'null_frac')::real, (s.stats ->> 'avg_width')::integer,
       (s.stats ->> 'n_distinct')::real, (s.stats ->> 'correlation')::real,
       array(select f::real from jsonb_array_elements_text(s.stats -> 'most_common_freqs') f)
from unnest(%(table_oids)s::bigint[], %(attnames)s::text[], %(statistics)s::jsonb[])
    as s (table_oid, attname, stats)
on conflict (target_id, dbid, table_oid, attname) do update
set captured_at = excluded.captured_at, null_frac = excluded.null_frac,
    avg_width = excluded.avg_width, n_distinct = excluded.n_distinct,
    correlation = excluded.correlation, most_common_freqs = excluded.most_common_freqs
where (c.null_frac, c.avg_width, c.n_distinct, c.correlation, c.most_common_freqs)
    is distinct from (excluded.null_frac, excluded.avg_width, excluded.n_distinct,
                      excluded.correlation, excluded.most_common_freqs)

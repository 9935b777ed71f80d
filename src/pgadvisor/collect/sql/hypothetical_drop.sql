-- One row per hypothetical index dropped.
SELECT {schema}.hypopg_drop_index(o.oid) FROM unnest(%(oids)s::oid[]) AS o (oid)

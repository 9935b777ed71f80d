-- One row: the estimated size of a hypothetical index in bytes.
SELECT {schema}.hypopg_relation_size(%(oid)s::oid)

-- one row: a database of the server that is no template and lets somebody connect
select oid::bigint as dbid, datname from pg_catalog.pg_database where not datistemplate and datallowconn

-- one row: a database of the server
select oid::bigint as dbid, datname from pg_catalog.pg_database where not datistemplate

-- one row: a role of the server
select oid::bigint as userid, rolname from pg_catalog.pg_roles

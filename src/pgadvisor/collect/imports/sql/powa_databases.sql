-- one row: the name of a database
select /* pgadvisor */ oid, datname::text from {schema}.powa_databases where srvid = %(srvid)s

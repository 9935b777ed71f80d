-- one row: the text of a queryid in one database
select /* pgadvisor */ distinct on (queryid, dbid) queryid, dbid, query
from {schema}.powa_statements
where srvid = %(srvid)s and queryid = any(%(queryids)s)
order by queryid, dbid

-- one row: a statement of a source as pgwatch read it at one time, cumulative
select /* pgadvisor */ time, dbname, data, tag_data
from {schema}.stat_statements
where time > %(since)s and time <= %(until)s and dbname = any(%(sources)s)
order by time

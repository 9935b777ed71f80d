-- one row: a source that pgwatch has statements of
select /* pgadvisor */ dbname, min(time), max(time)
from {schema}.stat_statements
group by dbname
order by dbname

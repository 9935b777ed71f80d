-- one row: an imported database (its dbid negative) of which the server's own oid is known now
select i.dbid, max(s.dbid)
from databases i
join databases s on s.target_id = i.target_id and s.datname = i.datname and s.dbid > 0
where i.target_id = %(target_id)s and i.dbid < 0
group by i.dbid

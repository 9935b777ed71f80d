-- one row: a server that PoWA has history of, and the span of it
select /* pgadvisor */ s.id, s.hostname, s.port, s.alias, b.since, b.until
from {schema}.powa_servers s
cross join lateral (
    select least((select min(lower(coalesce_range)) from {schema}.powa_statements_history h
                  where h.srvid = s.id),
                 (select min((record).ts) from {schema}.powa_statements_history_current c
                  where c.srvid = s.id)) as since,
           greatest((select max(upper(coalesce_range)) from {schema}.powa_statements_history h
                     where h.srvid = s.id),
                    (select max((record).ts) from {schema}.powa_statements_history_current c
                     where c.srvid = s.id)) as until
) b
where b.since is not null
order by s.id

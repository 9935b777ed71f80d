-- one row: a target of the same cluster, itself among them; of two names of one server only one
-- Physical replicas have the system identifier of their primary; a server that two targets name was
-- started at one moment, which their newest snapshots show.
select distinct on (coalesce(s.postmaster_start_at::text, 'target ' || t.id)) t.id
from targets t
left join lateral (
    select postmaster_start_at from snapshots where target_id = t.id order by id desc limit 1
) s on true
where t.id = %(target_id)s
    or t.system_identifier = (select system_identifier from targets where id = %(target_id)s)
order by coalesce(s.postmaster_start_at::text, 'target ' || t.id), t.id <> %(target_id)s, t.id

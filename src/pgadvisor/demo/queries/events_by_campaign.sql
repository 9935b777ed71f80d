-- One row: an event that a campaign brought.
select id, customer_id, created_at
from events
where payload @> jsonb_build_object('campaign', %(campaign)s::text)
order by created_at desc
limit 20

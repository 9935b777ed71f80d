-- One row: an event of a customer in the last days.
select id, kind, created_at, payload
from events
where customer_id = %(customer_id)s and created_at >= %(since)s
order by created_at desc

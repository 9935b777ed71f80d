-- One row: a payment of the order.
select id, method, state, amount, provider_reference
from payments
where order_id = %(order_id)s

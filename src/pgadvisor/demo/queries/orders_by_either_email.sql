-- One row: an order found by the address on it or by the address of its customer.
select o.id, o.order_number, o.status
from orders o
join customers c on c.id = o.customer_id
where o.contact_email = %(email)s or c.email = %(email)s

-- One row: an order on its way to a country; the DISTINCT removes nothing, o.id is unique.
select distinct o.id, o.order_number, o.created_at, c.full_name
from orders o
join customers c on c.id = o.customer_id
where o.status = 'shipped' and o.shipping_country = %(country)s

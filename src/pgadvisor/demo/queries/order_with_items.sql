-- One row: a line of the order, with its product.
select o.id, o.status, o.total_amount, i.line_number, i.quantity, i.unit_price, p.name
from orders o
join order_items i on i.order_id = o.id
join products p on p.id = i.product_id
where o.id = %(order_id)s
order by i.line_number

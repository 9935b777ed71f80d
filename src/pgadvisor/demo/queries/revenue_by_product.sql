-- One row: one of the 100 best sold products among the orders from an id on.
select i.product_id, i.unit_price, sum(i.quantity * i.unit_price) as revenue
from order_items i
where i.order_id >= %(order_id)s
group by i.product_id, i.unit_price
order by revenue desc
limit 100

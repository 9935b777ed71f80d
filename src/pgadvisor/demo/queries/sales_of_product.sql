-- One row: how often one product was sold.
select count(*) as lines, sum(quantity) as pieces, sum(quantity * unit_price) as revenue
from order_items
where product_id = %(product_id)s

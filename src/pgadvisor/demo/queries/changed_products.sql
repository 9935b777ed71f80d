-- One row: a product with all its columns, of which the page shows three.
select *
from products
where is_active
order by updated_at desc
limit 200

-- One row: one of the 25 newest products of a category, whose rating is then asked one by one.
select id as product_id, name, price
from products
where category_id = %(category_id)s and is_active
order by created_at desc
limit 25

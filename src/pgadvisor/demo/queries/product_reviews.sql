-- One row: one of the ten newest reviews of a product.
select r.id, r.rating, r.title, r.body, r.created_at
from reviews r
where r.product_id = %(product_id)s
order by r.created_at desc
limit 10

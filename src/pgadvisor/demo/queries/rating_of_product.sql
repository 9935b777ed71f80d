-- One row: the rating of one product.
select count(*) as reviews, avg(rating) as rating
from reviews
where product_id = %(product_id)s

-- One row: a product with its category.
select p.id, p.sku, p.name, p.description, p.price, p.attributes, c.name as category
from products p
join categories c on c.id = p.category_id
where p.id = %(product_id)s

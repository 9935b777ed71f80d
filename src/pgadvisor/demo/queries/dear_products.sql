-- One row: a product that costs more than three times the average of its category.
select p.id, p.name, p.price
from products p
where p.category_id between %(category_id)s and %(category_id)s + 9
  and p.price > 3 * (select avg(q.price) from products q where q.category_id = p.category_id)

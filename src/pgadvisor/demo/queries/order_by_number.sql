-- One row: the order with this number, which the application sends as numeric: no index fits.
select id, status, total_amount
from orders
where order_number = %(order_number)s

-- One row: how many orders the pager has to number.
select count(*) from orders where status = %(status)s and shipping_country = %(country)s

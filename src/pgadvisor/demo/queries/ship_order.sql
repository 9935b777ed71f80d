-- No row: moves one order on.
update orders set status = %(status)s, updated_at = %(now)s where id = %(order_id)s

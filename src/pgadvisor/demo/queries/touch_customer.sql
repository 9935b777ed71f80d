-- No row: notes that the customer was here.
update customers set last_seen_at = %(now)s where id = %(customer_id)s

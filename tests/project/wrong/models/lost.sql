SELECT order_id, total
FROM refund

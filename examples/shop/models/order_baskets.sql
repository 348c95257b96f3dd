-- title: Orders with their size
-- description: One row per order of a known person: money, things, and money per thing.
-- owner: finance
SELECT profile_id, event_id AS order_id, day, total, items, total / nullif(items, 0) AS per_item
FROM orders
WHERE profile_id IS NOT NULL

SELECT user_id, now() AS at
FROM refunds
JOIN read_csv('/etc/passwd') ON true
WHERE amount > random()

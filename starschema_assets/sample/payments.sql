-- A cheque for the exact sum of an order, for seven of eight completely shipped orders.
-- An order number times a prime, modulo a larger prime, gives distinct cheque numbers.
INSERT INTO payments
WITH paid AS (
    SELECT orderNumber, sum(quantityOrdered * priceEach) AS total
    FROM orderdetails
    GROUP BY orderNumber
)

SELECT
    customerNumber,
    concat(
        chr((65 + draw('letter 1', orderNumber) % 26)::INTEGER),
        chr((65 + draw('letter 2', orderNumber) % 26)::INTEGER),
        100000 + orderNumber::BIGINT * 618033989 % 999999937
    ),
    orderDate + (3 + draw('payment', orderNumber) % 40)::INTEGER,
    total
FROM orders
JOIN paid USING (orderNumber)
WHERE status IN ('Shipped', 'Resolved') AND draw('unpaid', orderNumber) % 8 > 0
ORDER BY orderNumber;

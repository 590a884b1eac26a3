-- One to seventeen lines per order, 9.26 on average. The number of sold products is prime (109), so a
-- walk over them with any start and step size never selects a product twice in an order.
-- A few product codes are in lower case; MySQL's collation treats them as equal.
INSERT INTO orderdetails
WITH lined AS (
    SELECT
        "order",
        line,
        (draw('start', "order") + line * (1 + draw('step', "order") % 108)) % 109 AS product,
        draw('line', "order" * 100 + line) AS drawn
    FROM drafts, unnest(range(1 + draw('lines', "order") % 35 // 2)) AS numbered (line)
)

SELECT
    10100 + "order",
    if("order" % 97 = 5 AND line = 0, lower(code), code),
    20 + drawn % 31 + if(drawn // 1000 % 50 = 0, drawn // 100000 % 40, 0),
    money(greatest(buy_cents, msrp_cents * (700 + drawn // 10000000 % 301) // 1000)),
    line + 1
FROM lined
JOIN sold_products USING (product)
ORDER BY 1, 2;

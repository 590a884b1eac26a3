-- 326 orders per unit of scale over two and a half years, numbered by date.

-- Each day has a weight, and orders are distributed over the days by weight: fewer at weekends, twice
-- as many before Christmas, a little more every month, with random differences between days.
CREATE TEMP TABLE days AS
SELECT
    day,
    coalesce(
        sum(weight) OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
    )::BIGINT AS first_share,
    (sum(weight) OVER ())::BIGINT AS all_shares
FROM (
    SELECT
        day::DATE AS day,
        [9, 9, 10, 10, 11, 9, 8, 9, 11, 15, 22, 12][month(day)]
        * if(isodow(day) > 5, 1, 8)
        * (20 + datediff('month', DATE '2023-01-01', day))
        * (20 + draw('day', datediff('day', DATE '2023-01-01', day)) % 181) AS weight
    FROM generate_series(DATE '2023-01-02', DATE '2025-06-30', INTERVAL 1 DAY) AS calendar (day)
);

-- Comments of the staff that explain an unusual status. An order with such a status gets one.
CREATE TEMP TABLE remarks (status VARCHAR, choices VARCHAR[]);

INSERT INTO remarks VALUES
    ('Cancelled',
     ['Cancelled by the customer: found the same model nearer home.',
      'Cancelled: the mould broke and there won''t be another.',
      E'Cancelled on their side.\n"Too many ships", they wrote.']),
    ('On Hold',
     ['Above the credit limit; waiting for a payment.',
      'On hold until the shop''s refurbishment is done.']),
    ('Disputed',
     ['Three boxes arrived open. They say it was the carrier; the carrier says it wasn''t.',
      'Customer disputes the colour: "maroon" is not "oxblood".']),
    ('Resolved',
     ['Disputed, then resolved: new wheels sent free of charge.',
      'Resolved after a call with Mme Lefèvre; a discount was granted.']);

-- Each ordering customer has one of the first orders; most later orders belong to a few customers.
-- Some of the latest orders are still open; disputes and cancellations occur at any time.
CREATE TEMP TABLE drafts AS
WITH shares AS (
    SELECT
        number AS "order",
        326 * getvariable('scale') AS orders,
        4 * (122 * getvariable('scale') // 5)
        + least(122 * getvariable('scale') % 5, 4) AS customers
    FROM range(326 * getvariable('scale')) AS generated (number)
),

buyers AS (
    SELECT
        *,
        CASE
            WHEN "order" < customers THEN "order"
            ELSE draw('buyer', "order") % customers * (draw('buyer bias', "order") % customers)
                // customers
        END AS buyer,
        "order" - (orders - 26 * getvariable('scale')) AS late,
        "order" * (SELECT max(all_shares) FROM days) // orders AS share
    FROM shares
)

SELECT
    "order",
    day AS order_date,
    buyer // 4 * 5 + buyer % 4 AS customer,
    CASE
        WHEN late >= 0 AND late % 13 IN (3, 8, 12) THEN 'In Process'
        WHEN late >= 0 AND late % 13 IN (5, 10) THEN 'On Hold'
        WHEN "order" % 54 = 11 THEN 'Cancelled'
        WHEN "order" % 81 = 20 THEN 'Resolved'
        WHEN "order" % 109 = 37 THEN 'Disputed'
        ELSE 'Shipped'
    END AS status,
    CASE status
        WHEN 'Shipped' THEN true
        WHEN 'Cancelled' THEN "order" // 54 % 2 = 0
        WHEN 'Resolved' THEN "order" // 81 % 2 = 0
        WHEN 'Disputed' THEN "order" // 109 % 2 = 0
        ELSE false
    END AS has_left
FROM buyers
ASOF JOIN days ON share >= first_share;

INSERT INTO orders
WITH dated AS (
    SELECT
        drafts.*,
        order_date + (7 + draw('required', "order") % 7)::INTEGER AS required_date,
        row_number() OVER (PARTITION BY language, "order" % 4 = 1 ORDER BY "order") AS nth,
        wishes
    FROM drafts
    JOIN places ON place = customer % 122
    JOIN languages USING (language)
)

SELECT
    10100 + "order",
    order_date,
    required_date,
    CASE
        WHEN NOT has_left THEN NULL
        WHEN draw('late', "order") % 40 = 0
            THEN required_date + (1 + draw('days late', "order") % 20)::INTEGER
        ELSE order_date + (1 + draw('shipped', "order") % 6)::INTEGER
    END,
    status,
    CASE
        WHEN remarks.status IS NOT NULL THEN pick(choices, draw('remark', "order"))
        WHEN "order" % 4 = 1 THEN pick(wishes, nth - 1)
    END,
    103 + 3 * customer + draw('gap', customer) % 3
FROM dated
LEFT JOIN remarks USING (status)
ORDER BY "order";

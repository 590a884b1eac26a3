-- 122 customers per unit of scale, one per place. Every fifth never orders (see orders.sql). Most of
-- these have no sales representative, and their credit limit is 0 or NULL.
INSERT INTO customers
WITH numbered AS (
    SELECT customer, places.*, languages.*
    FROM range(122 * getvariable('scale')) AS generated (customer)
    JOIN places ON place = customer % 122
    JOIN languages USING (language)
),

representatives AS (
    SELECT territory, list(employeeNumber ORDER BY employeeNumber) AS numbers
    FROM employees
    JOIN offices USING (officeCode)
    WHERE jobTitle = 'Sales Rep'
    GROUP BY territory
)

SELECT
    103 + 3 * customer + draw('gap', customer) % 3,
    pick(companies, draw('company', customer))
        .replace('{last}', pick(last_names, draw('company name', customer)))
        .replace('{city}', city)
        || if(customer % 122 = 77, '  ', ''),
    if(customer % 122 = 33, 'Null', pick(last_names, draw('last name', customer))),
    pick(first_names, draw('first name', customer)) || if(customer % 41 = 7, ' ', ''),
    format(
        phone,
        draw('phone 1', customer) % 100,
        draw('phone 2', customer) % 100,
        draw('phone 3', customer) % 100
    ),
    pick(streets, draw('street', customer))
        .replace('{n}', concat(1 + draw('house', customer) % 250)),
    CASE
        WHEN draw('second line', customer) % 5 = 0 OR customer % 122 = 3
            THEN replace(
                pick(second_lines, draw('second line text', customer)),
                '{n}',
                concat(1 + draw('second line number', customer) % 9)
            )
    END,
    city,
    state,
    postal_code,
    country,
    CASE
        WHEN customer % 5 <> 4 OR customer % 25 = 4
            THEN pick(numbers, draw('representative', customer))
    END,
    CASE
        WHEN customer % 15 = 4 OR customer % 50 = 7 THEN NULL
        WHEN customer % 5 = 4 THEN 0
        ELSE 100 * (100 + draw('credit', customer) % 1300)
    END
FROM numbered
JOIN representatives USING (territory)
ORDER BY customer;

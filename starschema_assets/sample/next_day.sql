-- Advances the business by one day: some customers move to another customer's place, and the prices
-- of some products rise. The variable `day` is the day's number, which selects them.
CREATE TABLE IF NOT EXISTS _clock AS SELECT 0 AS days;

UPDATE _clock SET days = getvariable('day');

CREATE TEMP TABLE moves AS
WITH numbered AS (
    SELECT *, row_number() OVER (ORDER BY customerNumber) AS place, count(*) OVER () AS places
    FROM customers
)

SELECT mover.customerNumber, target.city, target.state, target.postalCode, target.country
FROM numbered AS mover
JOIN numbered AS target ON target.place = 1 + (mover.place + 16) % mover.places
WHERE mover.place % 40 = getvariable('day') % 40;

UPDATE customers
SET city = moves.city, state = moves.state, postalCode = moves.postalCode, country = moves.country
FROM moves
WHERE customers.customerNumber = moves.customerNumber;

CREATE TEMP TABLE raises AS
WITH numbered AS (SELECT productCode, row_number() OVER (ORDER BY productCode) AS place FROM products)

SELECT productCode FROM numbered WHERE place % 40 = getvariable('day') % 40;

UPDATE products
SET buyPrice = round(buyPrice * 1.1, 2), MSRP = round(MSRP * 1.05, 2)
WHERE productCode IN (SELECT productCode FROM raises);

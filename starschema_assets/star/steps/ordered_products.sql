-- For each product code of the order lines: its product, with all versions and prices.
-- A step of fact_orders. It is not published.
--
-- MySQL ignores case and trailing spaces when it joins on the code. This step does the same if the
-- exact code doesn't exist and the folded code is unique. A code without a product is kept as one
-- version for all days.
with ordered_codes as (
    select distinct productCode as orderedCode
    from raw.orderdetails
),

folded_codes as (
    select
        lower(rtrim(productCode)) as foldedCode,
        min(productCode) as productCode
    from raw.products
    group by lower(rtrim(productCode))
    having count(*) = 1
),

found_codes as (
    select
        ordered_codes.orderedCode,
        coalesce(
            exact.productCode, folded_codes.productCode, ordered_codes.orderedCode
        ) as productCode
    from ordered_codes
    left join raw.products as exact
        on ordered_codes.orderedCode = exact.productCode
    left join folded_codes
        on lower(rtrim(ordered_codes.orderedCode)) = folded_codes.foldedCode
)

select
    found_codes.orderedCode,
    found_codes.productCode,
    products.version as productVersion,
    products.buyPrice,
    products.MSRP,
    coalesce(products.validFrom, date '0001-01-01') as validFrom,
    coalesce(products.validTo, date '9999-12-31') as validTo
from found_codes
left join star.dim_products_history as products
    on found_codes.productCode = products.productCode

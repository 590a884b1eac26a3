-- One row per order line.
-- Every join keeps the order line, so that one without its order, customer or product is found by
-- the checks and not lost here. MySQL finds the product of a line ignoring case and trailing
-- spaces: so does this, where the exact code is missing and the folded one leaves no choice.
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

ordered_products as (
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
    lines.orderNumber,
    lines.orderLineNumber,
    orders.customerNumber,
    ordered_products.productCode,
    locations.locationKey,
    orders.orderDate,
    orders.requiredDate,
    orders.shippedDate,
    trim(orders.status) as status,
    orders.comments,
    lines.quantityOrdered,
    lines.priceEach,
    cast(
        lines.quantityOrdered * cast(lines.priceEach as decimal(20, 2)) as decimal(20, 2)
    ) as orderAmount,
    products.buyPrice,
    products.MSRP
from raw.orderdetails as lines
left join ordered_products
    on lines.productCode = ordered_products.orderedCode
left join raw.products as products
    on ordered_products.productCode = products.productCode
left join raw.orders as orders
    on lines.orderNumber = orders.orderNumber
left join star.customer_locations as locations
    on orders.customerNumber = locations.customerNumber
order by orders.orderDate, lines.orderNumber, lines.orderLineNumber

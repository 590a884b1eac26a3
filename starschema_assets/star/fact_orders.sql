-- One row per order line, with the versions of customer and product on the day of the order.
-- Left joins keep lines without an order, customer or product, so that the checks find them.
select
    lines.orderNumber,
    lines.orderLineNumber,
    orders.customerNumber,
    orders.customerVersion,
    products.productCode,
    products.productVersion,
    orders.locationKey,
    orders.orderDate,
    orders.requiredDate,
    orders.shippedDate,
    orders.status,
    orders.comments,
    lines.quantityOrdered,
    lines.priceEach,
    cast(
        lines.quantityOrdered * cast(lines.priceEach as decimal(20, 2)) as decimal(20, 2)
    ) as orderAmount,
    products.buyPrice,
    products.MSRP
from raw.orderdetails as lines
left join star.located_orders as orders
    on lines.orderNumber = orders.orderNumber
left join star.ordered_products as products
    on
        lines.productCode = products.orderedCode
        and coalesce(orders.versionDate, date '9999-12-30') >= products.validFrom
        and coalesce(orders.versionDate, date '9999-12-30') < products.validTo
order by orders.orderDate, lines.orderNumber, lines.orderLineNumber

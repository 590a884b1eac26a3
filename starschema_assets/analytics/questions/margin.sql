-- What is left of each product line's sales after paying its vendors, in USD and in percent of the
-- sales, cancelled orders included. The price paid is that of the day of the order, as far as the
-- history goes back.
with amounts as (
    select
        dim_products.productLine,
        fact_orders.orderAmount as amount,
        fact_orders.quantityOrdered * cast(fact_orders.buyPrice as decimal(20, 2)) as paid
    from fact_orders
    inner join dim_products
        on fact_orders.productCode = dim_products.productCode
)

select
    productLine,
    sum(amount) as sales,
    sum(paid) as cost,
    sum(amount) - sum(paid) as margin,
    round(1e2 * (sum(amount) - sum(paid)) / nullif(sum(amount), 0), 1) as marginPercent
from amounts
group by productLine
order by margin desc, productLine

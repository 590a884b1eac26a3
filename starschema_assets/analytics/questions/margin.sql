-- Margin (sales minus purchase cost) by product line, in USD and in percent of sales.
-- Cancelled orders are included. The cost uses the purchase price on the day of the order. Orders
-- before the start of the price history use its oldest price.
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

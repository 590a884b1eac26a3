-- Sales by month, country and product, in USD, including cancelled orders, for the dashboard.
-- The 100 best products of each line have their own rows. The other products of a line are one row
-- without code and name, so the result grows with months and countries, not with orders.
with ranked as (
    select
        dim_products.productCode,
        dim_products.productLine,
        dim_products.productName,
        row_number() over (
            partition by dim_products.productLine
            order by sum(fact_orders.orderAmount) desc, dim_products.productCode
        ) as place
    from fact_orders
    inner join dim_products
        on fact_orders.productCode = dim_products.productCode
    group by dim_products.productCode, dim_products.productLine, dim_products.productName
),

products as (
    select
        productCode as orderedCode,
        productLine,
        case when place <= 100 then productCode end as productCode,
        case when place <= 100 then productName end as productName
    from ranked
)

select
    dim_dates.year,
    dim_dates.month,
    dim_locations.country,
    products.productLine,
    products.productCode,
    products.productName,
    sum(fact_orders.quantityOrdered) as pieces,
    sum(fact_orders.orderAmount) as sales
from fact_orders
inner join dim_dates
    on fact_orders.orderDate = dim_dates.date
inner join dim_locations
    on fact_orders.locationKey = dim_locations.locationKey
inner join products
    on fact_orders.productCode = products.orderedCode
group by
    dim_dates.year,
    dim_dates.month,
    dim_locations.country,
    products.productLine,
    products.productCode,
    products.productName
order by
    dim_dates.year,
    dim_dates.month,
    dim_locations.country,
    products.productLine,
    products.productCode

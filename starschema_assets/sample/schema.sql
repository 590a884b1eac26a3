-- The classicmodels schema in MySQL's DDL, also read by the embedded DuckDB file (see schema.py).
--
-- The character set is latin1, as in many real databases of this kind, so that text must be
-- converted. The collation is explicit, so that it ignores case and trailing spaces on every server;
-- MySQL 8's default for utf8mb4 (NO PAD) doesn't ignore trailing spaces.
--
-- Foreign keys are below the tables, because they are added after the rows are loaded.

CREATE TABLE offices (
    officeCode varchar(10) NOT NULL,
    city varchar(50) NOT NULL,
    phone varchar(50) NOT NULL,
    addressLine1 varchar(50) NOT NULL,
    addressLine2 varchar(50) DEFAULT NULL,
    state varchar(50) DEFAULT NULL,
    country varchar(50) NOT NULL,
    postalCode varchar(15) NOT NULL,
    territory varchar(10) NOT NULL,
    PRIMARY KEY (officeCode)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE employees (
    employeeNumber int NOT NULL,
    lastName varchar(50) NOT NULL,
    firstName varchar(50) NOT NULL,
    extension varchar(10) NOT NULL,
    email varchar(100) NOT NULL,
    officeCode varchar(10) NOT NULL,
    reportsTo int DEFAULT NULL,
    jobTitle varchar(50) NOT NULL,
    PRIMARY KEY (employeeNumber)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE customers (
    customerNumber int NOT NULL,
    customerName varchar(50) NOT NULL,
    contactLastName varchar(50) NOT NULL,
    contactFirstName varchar(50) NOT NULL,
    phone varchar(50) NOT NULL,
    addressLine1 varchar(50) NOT NULL,
    addressLine2 varchar(50) DEFAULT NULL,
    city varchar(50) NOT NULL,
    state varchar(50) DEFAULT NULL,
    postalCode varchar(15) DEFAULT NULL,
    country varchar(50) NOT NULL,
    salesRepEmployeeNumber int DEFAULT NULL,
    creditLimit decimal(10, 2) DEFAULT NULL,
    PRIMARY KEY (customerNumber)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE productlines (
    productLine varchar(50) NOT NULL,
    textDescription varchar(4000) DEFAULT NULL,
    htmlDescription mediumtext,
    image mediumblob,
    PRIMARY KEY (productLine)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE products (
    productCode varchar(15) NOT NULL,
    productName varchar(70) NOT NULL,
    productLine varchar(50) NOT NULL,
    productScale varchar(10) NOT NULL,
    productVendor varchar(50) NOT NULL,
    productDescription text NOT NULL,
    quantityInStock smallint NOT NULL,
    buyPrice decimal(10, 2) NOT NULL,
    MSRP decimal(10, 2) NOT NULL,
    PRIMARY KEY (productCode)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE orders (
    orderNumber int NOT NULL,
    orderDate date NOT NULL,
    requiredDate date NOT NULL,
    shippedDate date DEFAULT NULL,
    status varchar(15) NOT NULL,
    comments text,
    customerNumber int NOT NULL,
    PRIMARY KEY (orderNumber)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE orderdetails (
    orderNumber int NOT NULL,
    productCode varchar(15) NOT NULL,
    quantityOrdered int NOT NULL,
    priceEach decimal(10, 2) NOT NULL,
    orderLineNumber smallint NOT NULL,
    PRIMARY KEY (orderNumber, productCode)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

CREATE TABLE payments (
    customerNumber int NOT NULL,
    checkNumber varchar(50) NOT NULL,
    paymentDate date NOT NULL,
    amount decimal(10, 2) NOT NULL,
    PRIMARY KEY (customerNumber, checkNumber)
) ENGINE = InnoDB DEFAULT CHARACTER SET = latin1 COLLATE = latin1_swedish_ci;

ALTER TABLE employees
    ADD CONSTRAINT employees_manager FOREIGN KEY (reportsTo) REFERENCES employees (employeeNumber),
    ADD CONSTRAINT employees_office FOREIGN KEY (officeCode) REFERENCES offices (officeCode);

ALTER TABLE customers
    ADD CONSTRAINT customers_sales_rep
    FOREIGN KEY (salesRepEmployeeNumber) REFERENCES employees (employeeNumber);

ALTER TABLE products
    ADD CONSTRAINT products_line FOREIGN KEY (productLine) REFERENCES productlines (productLine);

ALTER TABLE orders
    ADD CONSTRAINT orders_customer
    FOREIGN KEY (customerNumber) REFERENCES customers (customerNumber);

ALTER TABLE orderdetails
    ADD CONSTRAINT orderdetails_order FOREIGN KEY (orderNumber) REFERENCES orders (orderNumber),
    ADD CONSTRAINT orderdetails_product FOREIGN KEY (productCode) REFERENCES products (productCode);

ALTER TABLE payments
    ADD CONSTRAINT payments_customer
    FOREIGN KEY (customerNumber) REFERENCES customers (customerNumber);

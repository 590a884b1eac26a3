-- What a country decides: the language of its texts, its telephone numbers, who sells there.
CREATE TEMP TABLE country_habits (
    country VARCHAR, language VARCHAR, phone VARCHAR, territory VARCHAR
);

INSERT INTO country_habits VALUES
    ('USA', 'en', '(2{:02}) 555-01{:02}', 'NA'),
    ('Canada', 'en', '(6{:02}) 555-01{:02}', 'NA'),
    ('UK', 'en', '+44 20 7946 {:02}{:02}', 'EMEA'),
    ('Ireland', 'en', '+353 20 91{:02} {:02}{:02}', 'EMEA'),
    ('Australia', 'en', '+61 2 5550 {:02}{:02}', 'APAC'),
    ('New Zealand', 'en', '+64 9 555 {:02}{:02}', 'APAC'),
    ('South Africa', 'en', '+27 21 {:02}5 {:02}{:02}', 'EMEA'),
    ('Singapore', 'zh', '+65 6{:02}5 {:02}{:02}', 'APAC'),
    ('Hong Kong', 'zh', '+852 2{:02}5 {:02}{:02}', 'APAC'),
    ('Philippines', 'es', '+63 2 85{:02} {:02}{:02}', 'APAC'),
    ('Japan', 'ja', '+81 3 55{:02} {:02}{:02}', 'Japan'),
    ('France', 'fr', '+33 1 99 00 {:02} {:02}', 'EMEA'),
    ('Belgium', 'fr', '+32 2 {:02}5 {:02} {:02}', 'EMEA'),
    ('Switzerland', 'de', '+41 44 {:02}5 {:02} {:02}', 'EMEA'),
    ('Germany', 'de', '030 23125 {:02}{:02}', 'EMEA'),
    ('Austria', 'de', '+43 1 {:02}5 {:02}{:02}', 'EMEA'),
    ('Spain', 'es', '(91) {:02}5 {:02} {:02}', 'EMEA'),
    ('Italy', 'it', '02-5{:02}{:02}{:02}', 'EMEA'),
    ('Portugal', 'pt', '+351 21 {:02}5 {:02}{:02}', 'EMEA'),
    ('Norway', 'nordic', '+47 22 {:02} {:02} {:02}', 'EMEA'),
    ('Sweden', 'nordic', '08-465 0{:02} {:02}', 'EMEA'),
    ('Denmark', 'nordic', '31 {:02} {:02} {:02}', 'EMEA'),
    ('Finland', 'fi', '09-{:02}5 {:02}{:02}', 'EMEA'),
    ('Netherlands', 'nl', '+31 20 {:02}5 {:02}{:02}', 'EMEA');

-- Where customers are: real towns and their real postal codes, `weight` of 122 customers each.
-- Many codes are shared by towns in different countries (4000, 10115, 28001, 75016, ...) and two
-- within one (01600). Some towns have no code, one has an empty state, and one country is
-- written with two trailing spaces, which MySQL's collation groups with Norway and bytes don't.
CREATE TEMP TABLE towns (
    city VARCHAR, state VARCHAR, postal_code VARCHAR, country VARCHAR, weight INTEGER
);

INSERT INTO towns VALUES
    ('New York', 'NY', '10115', 'USA', 6),
    ('New York', 'NY', '10003', 'USA', 2),
    ('San Francisco', 'CA', '94117', 'USA', 4),
    ('Sacramento', 'CA', '95814', 'USA', 2),
    ('San Diego', 'CA', '92104', 'USA', 2),
    ('Seattle', 'WA', '98103', 'USA', 2),
    ('Portland', 'OR', '97209', 'USA', 2),
    ('Portland', 'ME', '04101', 'USA', 1),
    ('Boston', 'MA', '02118', 'USA', 3),
    ('Cambridge', 'MA', NULL, 'USA', 1),
    ('Philadelphia', 'PA', '19107', 'USA', 2),
    ('Chicago', 'IL', '60614', 'USA', 2),
    ('Irving', 'TX', '75016', 'USA', 1),
    ('Albemarle', 'NC', '28001', 'USA', 1),
    ('McCook', 'NE', '69001', 'USA', 1),
    ('Painesville', 'OH', '44077', 'USA', 1),
    ('Windham', 'OH', '44288', 'USA', 1),
    ('Coeur d''Alene', 'ID', '83814', 'USA', 1),
    ('Española', 'NM', '87532', 'USA', 1),
    ('St. Louis', 'MO', NULL, 'USA', 2),
    ('Paris', NULL, '75016', 'France', 4),
    ('Nantes', NULL, '44000', 'France', 2),
    ('Lyon', NULL, '69001', 'France', 2),
    ('Trévoux', NULL, '01600', 'France', 1),
    ('Reyrieux', NULL, '01600', 'France', 1),
    ('Saint-Étienne', NULL, '42000', 'France', 1),
    ('Phalsbourg', 'Moselle', '57370', 'France', 1),
    ('Berlin', NULL, '10115', 'Germany', 3),
    ('München', NULL, '80331', 'Germany', 2),
    ('Köln', NULL, '50667', 'Germany', 2),
    ('Gießen', NULL, '35390', 'Germany', 1),
    ('Lübeck', NULL, '23552', 'Germany', 1),
    ('Aachen', NULL, '52062', 'Germany', 1),
    ('Madrid', NULL, '28001', 'Spain', 5),
    ('Logroño', 'La Rioja', '26001', 'Spain', 1),
    ('A Coruña', NULL, '15001', 'Spain', 1),
    ('Santa Cruz de Tenerife', 'Canarias', '38001', 'Spain', 1),
    ('Adelaide', 'South Australia', '5000', 'Australia', 1),
    ('Melbourne', 'Victoria', '3000', 'Australia', 2),
    ('Sydney', 'NSW', '2000', 'Australia', 2),
    ('Brisbane', 'Queensland', '4000', 'Australia', 1),
    ('London', NULL, 'WC2N 5DU', 'UK', 2),
    ('Cowes', 'Isle of Wight', 'PO31 7QJ', 'UK', 1),
    ('Liverpool', NULL, 'L1 8JQ', 'UK', 1),
    ('Manchester', NULL, NULL, 'UK', 1),
    ('Milano', NULL, '20121', 'Italy', 2),
    ('Reggio Emilia', NULL, '42121', 'Italy', 1),
    ('Forlì', NULL, '47121', 'Italy', 1),
    ('Auckland', NULL, '1010', 'New Zealand', 3),
    ('Wellington', '', '6011', 'New Zealand', 1),
    ('Vancouver', 'BC', 'V6B 1A1', 'Canada', 2),
    ('Trois-Rivières', 'Québec', 'G9A 5L7', 'Canada', 1),
    ('Helsinki', NULL, '00100', 'Finland', 2),
    ('Jyväskylä', NULL, '40100', 'Finland', 1),
    ('Singapore', NULL, '079903', 'Singapore', 2),
    ('Singapore', '', '238801', 'Singapore', 1),
    ('Hong Kong', NULL, NULL, 'Hong Kong', 2),
    ('Oslo', NULL, '0150', 'Norway', 2),
    ('Tromsø', NULL, '9008', 'Norway', 1),
    ('Ålesund', NULL, '6003', 'Norway  ', 1),
    ('Bern', NULL, '3000', 'Switzerland', 1),
    ('Zürich', NULL, '8000', 'Switzerland', 2),
    ('Namur', NULL, '5000', 'Belgium', 1),
    ('Liège', NULL, '4000', 'Belgium', 1),
    ('Århus', NULL, '8000', 'Denmark', 1),
    ('København', NULL, '1050', 'Denmark', 1),
    ('Malmö', NULL, '211 20', 'Sweden', 1),
    ('Göteborg', NULL, '411 06', 'Sweden', 1),
    ('Wien', NULL, '1010', 'Austria', 1),
    ('Graz', 'Steiermark', '8010', 'Austria', 1),
    ('Tokyo', 'Chiyoda-ku', '100-0005', 'Japan', 1),
    ('Osaka', 'Osaka', '530-0001', 'Japan', 1),
    ('Lisboa', NULL, '1100-148', 'Portugal', 1),
    ('Évora', NULL, '7000-508', 'Portugal', 1),
    ('Cork', 'Co. Cork', NULL, 'Ireland', 1),
    ('Dublin', NULL, 'D02 VR66', 'Ireland', 1),
    ('Amsterdam', NULL, '1012 JS', 'Netherlands', 1),
    ('Makati', 'Metro Manila', '1200', 'Philippines', 1),
    ('Cape Town', 'Western Cape', '8001', 'South Africa', 1);

-- One row for each of the 122 places of a customer: place p serves customers p, p + 122, ...
-- Big towns come first, as the first customers order most; '44' mixes the others so that no country
-- is left without orders by the customers who never order.
CREATE TEMP TABLE places AS
SELECT
    row_number() OVER (ORDER BY nth DESC, md5(concat(city, postal_code, '44'))) - 1 AS place,
    city,
    state,
    postal_code,
    towns.country,
    language,
    phone,
    territory
FROM towns, unnest(range(weight)) AS repetition (nth)
JOIN country_habits ON country_habits.country = rtrim(towns.country);

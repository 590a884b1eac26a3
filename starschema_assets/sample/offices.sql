-- Seven offices and twenty-three employees at any scale. The president's reportsTo is NULL.
INSERT INTO offices VALUES
    ('1', 'Seattle', '+1 206 555 0100', '400 Foundry Row', 'Floor 9', 'WA', 'USA', '98101', 'NA'),
    ('2', 'Chicago', '+1 312 555 0137', '77 Lakeside Court', NULL, 'IL', 'USA', '60601', 'NA'),
    ('3', 'New York', '+1 212 555 0179', '18 Cooper''s Slip', 'apt. 3B', 'NY', 'USA', '10005', 'NA'),
    ('4', 'Paris', '+33 1 99 00 21 40', '6, rue de l''Étoile d''Or', NULL, NULL, 'France', '75011',
     'EMEA'),
    ('5', 'Tokyo', '+81 3 5550 1180', '3-2 Nihonbashi', NULL, 'Chuo-ku', 'Japan', '103-0027',
     'Japan'),
    ('6', 'Sydney', '+61 2 5550 4410', '21-25 Cockle Wharf', 'Level 4', 'NSW', 'Australia', '2000',
     'APAC'),
    ('7', 'London', '+44 20 7946 0155', '9 Threadneedle Yard', 'Mezzanine', NULL, 'UK', 'EC2R 8AY',
     'EMEA');

INSERT INTO employees
SELECT
    number,
    last_name,
    first_name,
    'x' || extension,
    lower(strip_accents(first_name[1] || replace(last_name, '''', ''))) || '@miniatures.example',
    office,
    manager,
    job
FROM (
    VALUES
    (1001, 'Harcourt', 'Miriam', 4100, '1', NULL, 'President'),
    (1012, 'Novák', 'Peter', 4112, '1', 1001, 'VP Sales'),
    (1019, 'Ashdown', 'Claire', 4119, '1', 1001, 'VP Marketing'),
    (1030, 'Tregear', 'Bruce', 2230, '6', 1012, 'Sales Manager (APAC)'),
    (1033, 'Guérin', 'Solange', 3133, '4', 1012, 'Sales Manager (EMEA)'),
    (1037, 'Delacroix', 'Raymond', 4137, '1', 1012, 'Sales Manager (NA)'),
    (1102, 'Hale', 'Jennifer', 4202, '1', 1037, 'Sales Rep'),
    (1105, 'Mbeki', 'Thandi', 4205, '1', 1037, 'Sales Rep'),
    (1118, 'Kowalski', 'Stan', 5118, '2', 1037, 'Sales Rep'),
    (1121, 'O''Leary', 'Fionnuala', 5121, '2', 1037, 'Sales Rep'),
    (1140, 'Rivera', 'José', 6140, '3', 1037, 'Sales Rep'),
    (1143, 'Feldman', 'Ira', 6143, '3', 1037, 'Sales Rep'),
    (1201, 'Ménard', 'Étienne', 3201, '4', 1033, 'Sales Rep'),
    (1204, 'Schröder', 'Heike', 3204, '4', 1033, 'Sales Rep'),
    (1209, 'Muñoz', 'Carmen', 3209, '4', 1033, 'Sales Rep'),
    (1216, 'Sørensen', 'Lars', 3216, '4', 1033, 'Sales Rep'),
    (1233, 'Whitcombe', 'Barnaby', 7233, '7', 1033, 'Sales Rep'),
    (1238, 'Adeyemi', 'Folake', 7238, '7', 1033, 'Sales Rep'),
    (1302, 'Pohatu', 'Aroha', 2302, '6', 1030, 'Sales Rep'),
    (1307, 'Papadakis', 'Nick', 2307, '6', 1030, 'Sales Rep'),
    (1311, 'Harcourt', 'Julie', 2311, '6', 1030, 'Sales Rep'),
    (1402, 'Ishikawa', 'Yoko', 8402, '5', 1012, 'Sales Rep'),
    (1409, 'Nakagawa', 'Hiroshi', 8409, '5', 1402, 'Sales Rep')
) AS staff (number, last_name, first_name, extension, office, manager, job);

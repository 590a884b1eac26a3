-- Seven product lines and 110 products at any scale. Vendors and models are invented.
-- The last product of the list is never sold.
CREATE TEMP TABLE lines (
    position INTEGER, line VARCHAR, text VARCHAR, html VARCHAR, lowest INTEGER, highest INTEGER,
    features VARCHAR[]
);

INSERT INTO lines VALUES
    (1, 'Motorcycles',
     'Two wheels, one kickstand and a great many spokes: our motorcycles show the machine as the '
     'rider knew it, down to the worn rubber of the footpeg.',
     '<h2>Motorcycles</h2>' || chr(10) || '<p class="lead">Two wheels &amp; one <em>kickstand</em>.'
     '</p>', 3800, 19500,
     ['working front fork', 'chain that turns with the wheel', 'hand-laced spokes',
      'leather saddle bags', 'twin exhaust pipes']),
    (2, 'Planes',
     'From fabric and wire to polished aluminium. Most planes come assembled, on a stand, with a '
     'numbered certificate; propellers turn freely.',
     NULL, 4200, 15700,
     ['retractable landing gear', 'free-turning propeller', 'riveted skin',
      'opening cockpit canopy', 'stand with engraved plate']),
    (3, 'Ships',
     'Planked on frames as the shipwrights did it: a ship of ours takes a month to rig and needs a '
     'shelf of its own. "Not a toy", says the box, and means it.',
     '<p>Planked on frames.<br/>' || chr(13) || chr(10) || '<b>"Not a toy"</b>, says the box, '
     'and <i lang="fr">c''est vrai</i>.</p>', 5400, 14900,
     ['hand-tied rigging', 'linen sails', 'brass cannons', 'planked deck', 'rotating helm']),
    (4, 'Trains',
     'Engines, railcars and trams for the gauge on your table. Wheels are insulated, couplings '
     'follow the usual norm, so that they run with what you own.',
     NULL, 4500, 10800,
     ['insulated wheels', 'standard couplings', 'lamps that light', 'opening fire box']),
    (5, 'Trucks and Buses',
     'Haulage, mail and market days: lorries, vans and buses in the liveries of firms that never '
     'were, with loads that can be taken off.',
     '<ul><li>opening tailboards</li><li>removable loads</li></ul>', 5900, 15500,
     ['opening tailboard', 'removable load', 'steering front axle', 'destination blinds',
      'printed livery']),
    (6, 'Vintage Cars',
     'Brass lamps, wooden wheels and folding hoods: automobiles of the first four decades, in tin, '
     'die-cast metal and a little bakelite.',
     '<p>1900&ndash;1940 <a href="https://miniatures.example/vintage?a=1&amp;b=2">at a glance</a></p>',
     3500, 17000,
     ['brass head lamps', 'wooden spoke wheels', 'folding hood', 'running boards',
      'opening bonnet with engine']),
    (7, 'Classic Cars',
     'The cars that hung on bedroom walls. Doors, bonnet and boot open; the paint is baked in three '
     'coats, and the dashboard bears its makers'' names.',
     NULL, 4800, 21400,
     ['opening doors', 'steering wheel that turns the front wheels', 'detailed engine bay',
      'chrome trim', 'carpeted floor', 'folding seats']);

INSERT INTO productlines SELECT line, text, html, NULL FROM lines;

CREATE TEMP TABLE makers AS SELECT [
    'Albatross Studio', 'Bright & Tinker', 'Café Racer Miniatures', 'Dollond Diecast',
    'Établissements Minot', 'Fjordmodell', 'Gotthard Feinguß', 'Harbourlight Models',
    'Iron Thimble', 'Juniper Scale Co.', 'Kestrel & Daughters', 'Lilliput Works', 'Museum Shelf'
] AS names;

CREATE TEMP TABLE catalogue (position INTEGER, scale INTEGER, names VARCHAR[]);

INSERT INTO catalogue VALUES
    (1, 10, ['1936 Halden Flat Twin', '1969 Brannock Chopper', '1996 Mistrale 1100',
             '2002 Kurogane R1']),
    (1, 12, ['1957 Vesparo Scooter', '1960 Trident Café 650', '1974 Norrland Enduro']),
    (1, 18, ['1982 Aquila Touring', '1997 Serpente 900', '1912 Pedersen Motor Bicycle']),
    (1, 24, ['1950 Steppe Sidecar M-50', '1971 Kitsune Trail 90']),
    (1, 50, ['1928 Brannock Police "Silent Four"']),
    (2, 18, ['1917 Falke Triplane', '1928 Grey Goose Mail Biplane']),
    (2, 24, ['1938 Albion Flying Boat', '1941 Kestrel Fighter', 'Coastal Rescue Helicopter']),
    (2, 72, ['1949 Northern Star Airliner', '1958 Swift Jet Trainer', '1970 Continental Jumbo',
             '1976 Supersonic Courier']),
    (2, 700, ['Air Polaris Twinjet', 'Pacific Wings Freighter', 'Transalpine Regional']),
    (3, 24, ['Lake Steamer Undine', 'Pilot Cutter Mary-Ann']),
    (3, 72, ['Galleon Santa Rosalía', 'Longship of Gokstad', 'Tea Clipper Lady Lavender']),
    (3, 700, ['Liner Queen Isolde', 'Battleship Halvard the Old', 'Schooner Blå Fugl',
              'Paddle Steamer Delta Duchess']),
    (4, 18, ['Crocodile Locomotive, Alpine Green']),
    (4, 32, ['1900s Horse Tram', 'Night Express Sleeping Car']),
    (5, 12, ['1926 Hartmann Fire Engine', '1958 Ashgrove Breakdown Lorry']),
    (5, 18, ['1932 Prairie Stake Truck', '1940 Delmar Pickup', '1962 Kombi "Strandläufer"']),
    (5, 24, ['1954 Greenline Double-Decker', '1964 Mercato Vegetable Van']),
    (5, 32, ['1950s School Bus', '1937 Ice Cream Van']),
    (5, 50, ['1980s Black Hauler', 'Diamond Tanker 14-wheel']),
    (6, 18, ['1903 Fournier Runabout', '1911 Stanwick Town Car', '1913 Merrow Speedster',
             '1917 Grandville Touring', '1928 Bellanti Grand Sport', '1930 Corvina Phaëton',
             '1932 Imperial Sixteen', '1934 Airstream Coupé', '1936 Ardent SSK',
             '1937 Lindholm V12', '1939 Cabot Panel Van', '1940 Kingsway Sedan']),
    (6, 24, ['1904 Buckboard', '1912 Model K Delivery', '1919 Doctor''s Coupe',
             '1926 Ardent Taxi', '1930 Midget Saloon', '1933 Vagabond Tourer',
             '1936 Sapphire Limousine', '1938 Corvina Cabriolet', '1939 Wayfarer Estate']),
    (6, 50, ['1902 Electric Brougham', '1924 Circus Wagon', '1938 Ministry Landaulet']),
    (7, 10, ['1952 Alpenglow 1300', '1962 Lanceford Sabre', '1968 Marauder Fastback',
             '1972 Turin GTV', '1993 Stiletto Turbo']),
    (7, 12, ['1957 Corvane Roadster', '1969 Corsican Spider', '2001 Valkyr Berlinetta']),
    (7, 18, ['1948 Pannonia 356', '1952 Cascade Hardtop', '1956 Perle Cabriolet',
             '1957 Chieftain Convertible', '1958 Setter Roadster', '1961 Gazelle Drophead',
             '1964 Bobcat 289', '1965 Aston Hare', '1968 Dart & Sons 500', '1969 Hurricane 440',
             '1970 Plymstock Cuda', '1971 Alpine Renarde', '1972 Bavaria 2002',
             '1976 Torino "Starlight"', '1982 Camarque', '1992 Testa Nera', '1995 Hondo NSR',
             '1999 Indy 500 Pace Car']),
    (7, 24, ['1949 Hare Mille Miglia', '1958 Isetta-like Bubble Car', '1966 Mini Ripon',
             '1970 Dodger Coronet', '1974 Golfo L', '1982 Lotosso Turbo', '1992 Cavallo 348',
             '1998 Beet Cabrio', '2000 Norsk Rally Coupe']),
    (7, 32, ['1954 Rally Vanguard', '1966 Gull Wing Racer', '1985 Suprema Liftback']);

CREATE TEMP TABLE numbered AS
WITH listed AS (
    SELECT
        row_number() OVER (ORDER BY catalogue.position, scale, nth) - 1 AS product,
        lines.*,
        scale,
        names[nth] AS name
    FROM catalogue
    JOIN lines ON lines.position = catalogue.position, unnest(range(1, len(names) + 1)) AS name (nth)
)

SELECT *, concat('S', scale, '_', 1000 + (product * 977) % 9000) AS code FROM listed;

-- Each description has a size in inches and a line break, like the text on the boxes.
INSERT INTO products
SELECT
    code,
    name,
    line,
    '1:' || scale,
    pick((SELECT names FROM makers), draw('maker', product)),
    concat(
        name, ', ', 4 + draw('size', product) % 16, '" long, scale 1:', scale, '.', chr(10),
        'With ', pick(features, draw('feature', product)), ' and ',
        pick(features, draw('feature', product) + 1 + draw('second feature', product) % 2),
        pick(['. Limited edition.', '; boxed.', ', made to order.', '. Some assembly required.'],
             draw('finish', product))
    ),
    draw('stock', product) % 10000,
    money(msrp_cents * (40 + draw('margin', product) % 26) // 100),
    money(msrp_cents)
FROM (
    SELECT *, lowest + draw('msrp', product) % (highest - lowest) AS msrp_cents FROM numbered
);

CREATE TEMP TABLE sold_products AS
SELECT
    product,
    code,
    (buyPrice * 100)::BIGINT AS buy_cents,
    (MSRP * 100)::BIGINT AS msrp_cents
FROM numbered
JOIN products ON productCode = code
WHERE product < (SELECT max(product) FROM numbered);

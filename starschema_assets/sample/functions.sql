-- Every value is a function of the seed and of the row's number, never of the order in which rows
-- are made, so that threads don't matter. MD5 because its result is the same in every version.

CREATE TEMP MACRO draw(stream, number) AS (
    (md5_number_lower(concat_ws('|', getvariable('seed'), stream, number)) >> 1)::BIGINT
);

CREATE TEMP MACRO pick(choices, drawn) AS choices[1 + drawn % len(choices)];

-- Money is made of whole cents and never touches a float.
CREATE TEMP MACRO money(cents) AS (cents::DECIMAL(10, 0) * 0.01)::DECIMAL(10, 2);

-- Every value is a function of the seed and the row's number. So it doesn't depend on the order in
-- which threads generate the rows. MD5, because its result is the same in every version of DuckDB.

CREATE TEMP MACRO draw(stream, number) AS (
    (md5_number_lower(concat_ws('|', getvariable('seed'), stream, number)) >> 1)::BIGINT
);

CREATE TEMP MACRO pick(choices, drawn) AS choices[1 + drawn % len(choices)];

-- Money is computed from whole cents, never from floats.
CREATE TEMP MACRO money(cents) AS (cents::DECIMAL(10, 0) * 0.01)::DECIMAL(10, 2);

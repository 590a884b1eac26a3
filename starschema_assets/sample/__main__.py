"""`python -m starschema_assets.sample`: the sample database, embedded or loaded into MySQL."""

import argparse
import logging
import sys

from starschema_assets.sample.generate import SCALE, SEED, ensure_sample
from starschema_assets.settings import SAMPLE_DATABASE, Settings

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> None:
    """Generate the embedded database, or load the same rows into MySQL with `--into`."""
    parser = argparse.ArgumentParser("python -m starschema_assets.sample", description=__doc__)
    parser.add_argument(
        "--scale",
        type=_positive,
        help="1 has about 3,000 order lines, N has N times as many (default: that of the "
        f"database that is there, or {SCALE})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="equal seeds give equal rows (default: that of the database that is there, "
        f"or {SEED})",
    )
    parser.add_argument(
        "--into",
        metavar="URL",
        help="load the rows into this MySQL database instead, where none of the tables exists: "
        "mysql+pymysql://user:password@host:3306/database",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.into is not None:
        _load(options.into, options.scale, options.seed)
    elif ensure_sample(scale=options.scale, seed=options.seed):
        log.info("%s: generated", SAMPLE_DATABASE)
    else:
        log.info("%s: there already", SAMPLE_DATABASE)


def _load(into: str, scale: int | None, seed: int | None) -> None:
    # Here, since the embedded database needs none of them.
    import pymysql  # noqa: PLC0415
    import sqlalchemy  # noqa: PLC0415

    from starschema_assets.sample.mysql import LoadError, load  # noqa: PLC0415

    try:
        load(
            sqlalchemy.make_url(into),
            Settings().scratch,
            SCALE if scale is None else scale,
            SEED if seed is None else seed,
        )
    except sqlalchemy.exc.DBAPIError as error:
        sys.exit(f"sample: {error.orig}")
    except (LoadError, pymysql.MySQLError, sqlalchemy.exc.ArgumentError) as error:
        sys.exit(f"sample: {error}")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    main()

"""Generate the sample database as a DuckDB file, or load it into MySQL (`make sample`)."""

import argparse
import logging
from typing import TYPE_CHECKING

from starschema_assets import command
from starschema_assets.errors import StarschemaError
from starschema_assets.sample.generate import SCALE, SEED, ensure_sample, next_day
from starschema_assets.settings import SAMPLE_DATABASE, Settings

if TYPE_CHECKING:
    import sqlalchemy

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> None:
    """Generate the DuckDB file, or load the same rows into MySQL with `--into`."""
    parser = argparse.ArgumentParser("python -m starschema_assets.sample", description=__doc__)
    parser.add_argument(
        "--scale",
        type=_positive,
        help="1 has about 3,000 order lines, N has N times as many (default: the scale of the "
        f"existing file, or {SCALE})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help=f"equal seeds give equal rows (default: the seed of the existing file, or {SEED})",
    )
    parser.add_argument(
        "--into",
        metavar="URL",
        help="load the rows into this MySQL database, which must have none of the tables: "
        "mysql+pymysql://user:password@host:3306/database",
    )
    parser.add_argument(
        "--into-rds",
        nargs="?",
        const="",
        metavar="INSTANCE",
        help="load the rows into the database that Terraform created, with its owner's login. The "
        "tunnel uses this EC2 instance (default: the machine that Terraform created)",
    )
    parser.add_argument(
        "--next-day",
        action="store_true",
        help="advance the DuckDB file by one day: some customers move and some prices change, "
        "so that the histories get new versions",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    scale = SCALE if options.scale is None else options.scale
    seed = SEED if options.seed is None else options.seed
    if options.into is not None:
        _load(options.into, scale, seed)
    elif options.into_rds is not None:
        _load_into_rds(options.into_rds, scale, seed)
    elif ensure_sample(scale=options.scale, seed=options.seed):
        log.info("%s: generated", SAMPLE_DATABASE)
    else:
        log.info("%s: already up to date", SAMPLE_DATABASE)
    if options.next_day:
        days, moves, raises = next_day()
        log.info(
            "Its clock is now %s day(s) ahead: %s customers moved, and %s products have new "
            "prices. `make run` publishes the changes; the histories keep the previous values.",
            days,
            moves,
            raises,
        )


def _load(into: str, scale: int, seed: int) -> None:
    # Imported here, because the DuckDB file needs none of them.
    import pymysql  # noqa: PLC0415
    import sqlalchemy  # noqa: PLC0415

    from starschema_assets.sample.mysql import load  # noqa: PLC0415

    try:
        url = sqlalchemy.make_url(into)
    except (sqlalchemy.exc.ArgumentError, ValueError):  # its text could contain the password
        raise StarschemaError(
            "--into: give a URL of the form mysql+pymysql://user:password@host:3306/database, with "
            "characters such as @ / : % in the password URL-encoded"
        ) from None
    try:
        load(url, Settings().scratch, scale, seed)
    except sqlalchemy.exc.DBAPIError as error:
        raise _refusal(url, error.orig) from None
    except pymysql.MySQLError as error:
        raise _refusal(url, error) from None


def _load_into_rds(instance: str, scale: int, seed: int) -> None:
    from starschema_assets.deployment.connection import owner  # noqa: PLC0415
    from starschema_assets.deployment.outputs import database  # noqa: PLC0415
    from starschema_assets.sample.mysql import load_into  # noqa: PLC0415

    made, settings = database(), Settings()
    through = instance or made.machine
    with owner(made, through, settings.source_ca, local_infile=True) as server:
        load_into(server, settings.scratch, scale, seed)


def _refusal(url: "sqlalchemy.URL", error: BaseException | None) -> StarschemaError:
    said = error.args[-1] if error and error.args else "no connection"
    return StarschemaError(
        f"--into: {said}; check user, password, host, port and database of the URL, and that the "
        f"user {url.username} may create tables there"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    command.run(main)

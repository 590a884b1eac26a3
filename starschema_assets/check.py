"""Reports faults of contracts, SQL, example queries and notebook, for `make check`."""

from starschema_assets import command
from starschema_assets.analytics.verification import faults_of_analytics
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.star.models import MODELS
from starschema_assets.star.verification import faults_of


def main() -> int:
    """Print one line per fault. Return 1 if there are any."""
    faults = [*faults_of(CONTRACTS, MODELS)]
    faults += faults_of_analytics([model.contract for model in MODELS])
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    command.run(main)

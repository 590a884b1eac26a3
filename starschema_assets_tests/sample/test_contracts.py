"""`make contracts` on the sample in a real server gives the project's contracts."""

from pathlib import Path

import pytest

from starschema_assets.authoring.contracts import contracts_in, main
from starschema_assets.contract import Contract
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets_tests.conftest import PASSWORD, on_both
from starschema_assets_tests.database_server import DatabaseServer


@on_both
def test_they_are_the_project_s_own_but_for_what_people_wrote(
    sample_server: DatabaseServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = sample_server.url("reader", PASSWORD, "sample")
    monkeypatch.setenv("STARSCHEMA_SOURCE_URL", url)
    main([])  # for the project's own file it prints the difference
    assert capsys.readouterr().out == "raw/contracts.py is up to date.\n"
    main([], tmp_path / "contracts.py")
    written = {each.table: each for each in contracts_in(tmp_path / "contracts.py").values()}

    def declared(contract: Contract) -> object:
        columns = [(c.name, c.type, c.nullable) for c in contract.columns]
        return contract.table, contract.key, columns

    assert [declared(written[each.table]) for each in CONTRACTS] == [*map(declared, CONTRACTS)]

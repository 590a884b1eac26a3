"""Java as it serves short jobs best."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def _quick_java() -> Iterator[None]:
    """Compile once and simply: on tables of the sample, a job then takes less than half as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield

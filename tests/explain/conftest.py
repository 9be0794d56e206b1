from collections.abc import Iterator

import pytest
from sample import files

from vpemetrics.collectors.files.reading import read
from vpemetrics.store import Store


@pytest.fixture(scope="package")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The sample's records in a store."""
    with Store.open(tmp_path_factory.mktemp("explaining") / "sample.db") as store:
        store.save_all(read(files()))
        yield store

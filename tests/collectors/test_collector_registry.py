import dataclasses
import importlib

import pytest

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.registry import COLLECTORS


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_name_leads_to_a_collector(name: str) -> None:
    module, attribute = COLLECTORS[name].split(":")
    collector = getattr(importlib.import_module(module), attribute)

    assert isinstance(collector, Collector)
    assert dataclasses.is_dataclass(collector.options)

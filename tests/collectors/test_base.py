from datetime import UTC, datetime

from vpemetrics.collectors.base import CollectionContext, Collector


def test_a_collector_need_not_check_anything() -> None:
    collector = Collector(options=dict, collect=lambda _options, _occasion: iter(()))

    found = list(collector.check({}, CollectionContext(source="x", now=datetime.now(UTC))))

    assert found == []

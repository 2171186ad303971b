"""The spec beside what the exchange says that it runs."""

from ivr import demo_spec_text
from ivr.check import load_spec
from ivr.compile.asterisk import spec_hash
from ivr.flow import flow_of
from ivr.running import Difference, Lack, Running, compare_running
from ivr.spec import pbx_queue

SPEC = load_spec(demo_spec_text(), source="demo.yaml")
HASH = spec_hash(flow_of(SPEC))
ALL = {pbx_queue(name): frozenset(queue.members) for name, queue in SPEC.queues.items()}


def told(**changed) -> list[Difference]:
    running = {"hash": HASH, "revision": str(SPEC.revision), "queues": ALL} | changed
    return compare_running(SPEC, Running(**running), wanted_hash=HASH)


def test_an_exchange_that_runs_the_spec_lacks_nothing():
    assert told() == []
    assert told(queues={**ALL, "of-the-centre": frozenset({"somebody"})}) == []


def test_what_it_lacks_is_named_in_the_words_of_the_spec():
    name, queue = next(iter(SPEC.queues.items()))
    queues = {**ALL, pbx_queue(name): frozenset(queue.members[1:])}
    del queues[pbx_queue(last := list(SPEC.queues)[-1])]

    assert told(hash="0" * 12, queues=queues) == [
        Difference(lack=Lack.OTHER_SPEC),
        Difference(lack=Lack.NO_MEMBER, queue=name, member=queue.members[0]),
        Difference(lack=Lack.NO_QUEUE, queue=last),
    ]


def test_a_dialplan_of_the_centres_own_is_not_compared():
    assert told(hash=None, queues={}) == []

"""Keys are positive, fit a signed 64-bit column, grow, and are never given twice."""

import threading

from hub.store.ids import new_id


def test_keys_grow_and_fit_a_signed_bigint():
    made = [new_id() for _ in range(5_000)]

    assert made == sorted(set(made))
    assert made[0] > 0
    assert made[-1] < 2**63


def test_threads_never_share_a_key():
    made: list[int] = []

    def make() -> None:
        made.extend([new_id() for _ in range(2_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8_000

"""Work on the next items while the consumer is busy with the last result."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def work_ahead(
    source: AsyncGenerator[T, None], work: Callable[[T], Awaitable[R]], *, depth: int
) -> AsyncGenerator[R, None]:
    """Results of ``work`` in the order of ``source``, at most ``depth`` items being worked on or waiting.

    The first error of source or work, in their order, ends the stream; nothing is left running.
    """
    slots = asyncio.Semaphore(depth)
    tasks: asyncio.Queue[asyncio.Task[R] | None] = asyncio.Queue()
    started: set[asyncio.Task[R]] = set()

    async def call(item: T) -> R:
        return await work(item)

    async def produce() -> None:
        try:
            async with aclosing(source):
                await slots.acquire()
                async for item in source:
                    task = asyncio.create_task(call(item))
                    started.add(task)
                    tasks.put_nowait(task)
                    await slots.acquire()
        finally:
            tasks.put_nowait(None)

    producer = asyncio.create_task(produce())
    try:
        while (task := await tasks.get()) is not None:
            result = await task
            started.discard(task)
            slots.release()
            yield result
        await producer
    finally:
        producer.cancel()
        for task in started:
            task.cancel()
        await asyncio.gather(producer, *started, return_exceptions=True)

"""Crash trials: an adapter is killed, its disk and its receivers fail, and nothing may be lost.

    plan.py      what happens in a trial, all of it drawn from its seed
    shared.py    the few numbers that all processes of a trial see: clock, ports, progress
    seam.py      named points in the adapter at which it is killed; the adapter knows nothing of it
    mistakes.py  mistakes planted into the adapter, which the checker must find
    messages.py  what is sent, and what is read off what arrives
    wire.py      calls over HTTP
    drafts.py    the doctors who work with drafts, and what they remember
    world.py     the callers and the receivers, and what they remember
    adapter.py   one adapter, made before and started in a process of its own
    disk.py      fsync and write errors (libfiu), and a full disk
    cluster.py   a PostgreSQL server of one's own
    trial.py     one trial: starts, disturbs, heals, drains
    model.py     what must be true of a conversation, in words of its own
    checker.py   compares what happened with that
    draft_checker.py  the same of drafts

`python -m tools.trials` runs them.
"""

"""Versions of the database schema, run by `Store.migrate`.

A new version: change `adapter/store/tables.py`, add `versions/rNNNN_what.py`, and let the tests
tell whether the two agree.
"""

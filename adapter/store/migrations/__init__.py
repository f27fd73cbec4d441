"""Versions of the database schema, run by `Store.migrate`.

    versions/   one file a version, from `r0001`
    upgrade.py  brings a database up to date, or refuses one from before the first release
    env.py      what Alembic runs

Each change of the tables is a migration, and no migration that is there is changed: databases have
been made by it. A new version: change `adapter/store/tables.py`, add `versions/rNNNN_what.py`, and
let the tests tell whether the two agree.
"""

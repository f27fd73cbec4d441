"""Foreign keys that are given up.

SQLite cannot drop a foreign key. Making its table anew would take the rows away that refer to it;
changing what the table says of itself is the way that SQLite's documentation names for constraints,
since nothing that is stored changes (https://sqlite.org/lang_altertable.html, section 7).
"""

import sqlalchemy as sa
from alembic import op


def drop_reference(table: str, column: str, target: str) -> None:
    """
    Let a column refer to nothing.

    Args:
        target: What it referred to, `intyg (intygs_id)`.
    """
    name = f"fk_{table}_{column}"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(name, table, type_="foreignkey")
        return
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    _take_out(bind, table, f"CONSTRAINT {name} FOREIGN KEY({column}) REFERENCES {target}")
    bind.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def _take_out(bind: sa.Connection, table: str, constraint: str) -> None:
    """Take the one constraint out of a table's own words, with the comma before it."""
    words = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    before = str(bind.execute(words, {"table": table}).scalar_one())
    head, found, tail = before.partition(constraint)
    if not found:
        raise RuntimeError(f"the table {table} has no {constraint}, as its first version had")
    after = f"{head.rstrip().removesuffix(',')}{tail}"
    bind.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"),
        {"sql": after, "table": table},
    )

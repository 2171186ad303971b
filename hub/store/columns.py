"""What every table shares: the names of its constraints, its key, the index that leaves nulls out."""

from sqlalchemy import BigInteger, Column, Index, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_id() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def index_of_given(table: str, column: str) -> Index:
    """An index that leaves out the rows, most of them, in which the column is null."""
    given = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, sqlite_where=given, postgresql_where=given)

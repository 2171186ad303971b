"""Who is perhaps the same person over all malls, as agents say, and what is noted of a person.

No name, number or address stands here: an identity is the blind index of a telephone number, or of an e-mail
address where no number was given, with that of the name beside it.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, text

from hub.store.columns import metadata, row_id

# Written when an agent first says something of it. b"" where nothing was given: part of the key, so never null.
customer_identities = Table(
    "customer_identities",
    metadata,
    row_id(),
    Column("phone_idx", LargeBinary, nullable=False),
    Column("email_idx", LargeBinary, nullable=False),
    Column("name_idx", LargeBinary, nullable=False),
    # the smallest id among all identities that confirmations join with this one
    Column("person_id", BigInteger, nullable=False),
    UniqueConstraint("phone_idx", "email_idx", "name_idx"),
    Index("ix_customer_identities_email_idx", "email_idx"),
    Index("ix_customer_identities_person_id", "person_id"),
)

# What an agent decided of two identities. Taken back, not deleted: it was a decision.
customer_links = Table(
    "customer_links",
    metadata,
    row_id(),
    # the smaller id first
    Column("first_id", ForeignKey(customer_identities.c.id, ondelete="CASCADE"), nullable=False),
    Column("second_id", ForeignKey(customer_identities.c.id, ondelete="CASCADE"), nullable=False),
    # same | different
    Column("verdict", Text, nullable=False),
    Column("decided_by", BigInteger),
    Column("decided_at", BigInteger, nullable=False),
    Column("undone_by", BigInteger),
    Column("undone_at", BigInteger),
    # one decision of a pair is in force
    Index(
        "uq_customer_links_pair",
        "first_id",
        "second_id",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
    Index("ix_customer_links_second_id", "second_id"),
)

# A hard case or abuse: in force until it is cleared or over.
customer_marks = Table(
    "customer_marks",
    metadata,
    row_id(),
    Column("identity_id", ForeignKey(customer_identities.c.id, ondelete="CASCADE"), nullable=False),
    # hard_case | abuse
    Column("kind", Text, nullable=False),
    Column("reason_sealed", LargeBinary, nullable=False),
    Column("marked_by", BigInteger),
    Column("marked_at", BigInteger, nullable=False),
    # null: until it is cleared
    Column("until_at", BigInteger),
    Column("cleared_by", BigInteger),
    Column("cleared_at", BigInteger),
    Column("cleared_reason_sealed", LargeBinary),
    Index("ix_customer_marks_identity_id", "identity_id"),
)

"""Where everything is kept: tables, their writers and readers, encryption, migrations."""

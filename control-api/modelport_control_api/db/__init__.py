"""The database: engine, transactions, column types and migrations."""

"""The store: all tables, read and written in transactions, so that a crash loses nothing that was committed.

Only `settle` and commands write to the store. Nothing is imported here: who asks for a small module gets no SQLAlchemy.
"""

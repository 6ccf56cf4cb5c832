"""Shared test batteries, for our tests and for people who add formats."""

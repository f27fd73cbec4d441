"""Whole journeys through real servers on loopback."""

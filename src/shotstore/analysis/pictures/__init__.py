"""Shots as pictures: plots, frames side by side, and what a notebook shows."""

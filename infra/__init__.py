"""How it runs: real servers for development and tests, without containers.

Tools only: nothing of the hub or of an adapter imports this.
"""

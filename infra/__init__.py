"""How the hub runs beside other servers: real ones on loopback, in a folder of their own, for development and tests."""

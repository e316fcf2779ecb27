"""The door in for machines: admission in the order of trust, the keyring, quarantine and receipts."""

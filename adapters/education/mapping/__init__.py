"""What a school's record means to the partnership: pure functions from a record and its last version to an outcome."""

"""What was known when, who saw what, and proofs."""

"""The hub's own numbers with dates: which edition of a rule was in force where and when."""

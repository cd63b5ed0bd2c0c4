"""Small systems with a known verdict, one for each way a check may end."""

"""The diagnosis: which link of the update died first, why, and what to do."""

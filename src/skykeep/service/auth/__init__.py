"""Named people: accounts, sign-in, sessions."""

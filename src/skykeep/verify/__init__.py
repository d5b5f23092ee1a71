"""The offline verifier: `verifier.py`, one file of standard library only, imports nothing of ours.

It is the other side's program: a court, a journalist or an operator runs it alone, with no
Skykeep installed (`python -I -S verifier.py FILE --key KEYFILE`).
"""

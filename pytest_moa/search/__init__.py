"""Search for calls that show a difference: programs, what can be observed of them, and tests made of them.

Everything here runs inside a confined child and needs nothing but the standard library. A *program* is a
short sequence of calls; its *facts* are what a caller can observe; a program whose facts differ between
two versions of the code is a *witness*, and written down it is a test that fails for one of them.
"""

"""A Hayes modem as a sans-I/O engine: what the DTE and the telephone line say goes in, what it does comes out.

parse.py splits a command line, settings.py holds registers and options, results.py words the answers,
dialling.py takes a dial string apart, events.py has the vocabulary, engine.py is the modem.
"""

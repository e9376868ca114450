"""libspandsp's AT interpreter (at_interpreter.c) at a terminal: a modem's firmware that nobody here wrote.

``python -m tests.programs.spandsp_at PORT``: it answers commands there. It has no line: whatever would use one
succeeds, and nothing comes of it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tty

LIBRARY = "libspandsp.so.2"
Sent = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)
Control = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


def main(port: str) -> None:
    """Until it is ended."""
    library = ctypes.CDLL(LIBRARY)
    library.at_init.restype = ctypes.c_void_p
    library.at_interpreter.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    line = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)

    def sent(_state: int, _user: int, data: ctypes._Pointer[ctypes.c_char], size: int) -> int:
        return os.write(line, bytes(data[:size]))

    told, asked = Sent(sent), Control(lambda state, user, operation, number: 0)
    state = library.at_init(None, told, None, asked, None)
    while data := os.read(line, 4096):
        library.at_interpreter(state, data, len(data))


if __name__ == "__main__":
    main(sys.argv[1])

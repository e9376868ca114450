"""L2TP version 2 (RFC 2661), the control plane, sans-I/O: datagrams in, datagrams and events out, time passed in.

avp.py and messages.py are what is on the wire, channel.py delivers it in order and once, tunnel.py holds the state
machines of a tunnel and its calls, endpoint.py many tunnels. The data path is the kernel's.
"""

"""The rig on a bench machine as people have it: a distribution's kernel, systemd, udev, ModemManager, NetworkManager.

`make machines`, outside CI: each machine is made of packages, and started in QEMU.
"""

"""Sound through PortAudio, ALSA's library and a sound server: `make sound-card`, by itself, in real time."""

"""The rig as anybody installs it: built, installed by pip somewhere else, used by an ordinary user."""

"""The i5/OS partition, which lends its modems over L2TP (§2.1.4.2)."""

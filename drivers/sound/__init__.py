"""Sound on a telephone line: samples, levels, and the modulations of libspandsp."""

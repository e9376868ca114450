"""The figures that the README quotes, beside their peers. ``make bench`` runs them all in the lab."""

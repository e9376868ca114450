"""What PPP runs over: a modem of our own or one that is lent, calling or answering."""

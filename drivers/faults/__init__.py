"""What is done to control messages on their way, each by its kind and number: of PPP, of L2TP and of IKE."""

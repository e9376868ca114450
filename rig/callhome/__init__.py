"""What an appliance sends when it calls home (§4): files with names, a reason, and a receipt."""

"""What gunicorn reads from the folder that it is started in."""

# Its socket for `gunicornc` would lie in the user's home, one for all servers of that user; nothing here asks it.
control_socket_disable = True

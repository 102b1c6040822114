"""The bot's own voice connections: handshake, heartbeat, discovery. No audio is kept."""

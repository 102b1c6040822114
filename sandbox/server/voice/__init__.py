"""The bot's voice connections: handshake, sessions, audio that is counted, people who talk."""

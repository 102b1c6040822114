"""The gateway: sessions, their events, and the websocket they come over."""

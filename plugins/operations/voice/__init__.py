"""/voice: who was where when, in words and as a picture, and voiding a session."""

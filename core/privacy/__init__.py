"""What is kept about people and in guilds: shown, handed out, forgotten, and taken away."""

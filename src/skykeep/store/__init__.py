"""What is kept on disk. A port states its durability duties; what it acknowledges is durable."""

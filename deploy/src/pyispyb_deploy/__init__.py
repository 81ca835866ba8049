"""What the containers need before they serve, and what their operator reads first."""

"""What the office reads off its records; reads alone, writes nothing."""

"""What is said while work goes on, to whoever watches."""

"""The pytest plugin: suites as tests, and timing."""

"""A static site of published reports: leaderboard, history, and a page per report."""

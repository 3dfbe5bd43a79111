"""What can be said about a population of people from the people that were held out.

Every interval resamples or averages *people*: the windows and the seeds of one person move
together. Which method serves which metric was chosen by measured coverage, see docs/calibration.md.
"""

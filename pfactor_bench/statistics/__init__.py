"""What can be said about a population of subjects from the subjects that were held out.

Every interval resamples or averages *subjects*: the windows and the seeds of one subject move
together. Which method serves which metric was chosen by measured coverage, see docs/calibration.md.
"""

"""The auditor audited: leaks injected in clean studies, and how often the audit finds them.

A clean study is made from parts, each of which a leak can spoil; a leak is a function from a scene
to a scene. What is counted is what `pfactor_bench.checks` says about both.
"""

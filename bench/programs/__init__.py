"""The programs that are measured, each as a user would write it.

A function is named `PROGRAM_in_FAMILY`. What is written in Keras's words runs
on Keras and on doltap alike; only the module differs.
"""

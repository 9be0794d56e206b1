"""Acme engineering, the made-up organisation of the demo; the same to the byte every time.

plans      twelve services of five teams in eight repositories, and how sixty weeks went
notable    what happens to them beside everyday trouble
titles     what people called their changes and incidents
history    all records of it
settings   its configuration and its service level objectives
"""

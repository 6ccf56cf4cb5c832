"""Physically argued images of erythroblasts with known truth: optics, camera, shapes, whole cohorts."""

"""The reviewer's window: a napari plugin over :mod:`ifcyto.review`. Nothing is imported at discovery."""

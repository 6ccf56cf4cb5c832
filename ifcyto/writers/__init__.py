"""Writers: from cells back to CIF and TIFF files."""

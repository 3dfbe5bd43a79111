"""Any local BIDS folder: tables, recordings, preprocessing, and what is kept of them."""

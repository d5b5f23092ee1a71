"""The dossier: an incident as one file that anyone can check offline."""

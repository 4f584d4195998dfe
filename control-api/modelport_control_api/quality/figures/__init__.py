"""Figures from columns of rows. It imports scikit-learn, so nothing imports it until it is used."""

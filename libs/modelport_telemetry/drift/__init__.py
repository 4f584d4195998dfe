"""How rows are counted into the bins of a reference: by the control API first, then live by gateways."""

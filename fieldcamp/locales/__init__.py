"""How Django itself writes dates where no page of ours does, by language: as `fieldcamp.formats` does."""

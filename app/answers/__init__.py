"""The kiosk's answers, counted: where they are kept, how they are shown, and who may see them."""
